//! Which pods the requests of a lane go to: the one place where it is decided what a lane falls back to.

use crate::document::{Lane, LaneGroup, Membership, Mode, Service};

/// Pods of a service that requests are sent to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Pool {
    /// The pods of a lane, and no others.
    Only(String),
    /// The pods of a lane and, while none of them is healthy, the baseline's.
    FallingBack(String),
}

impl Pool {
    /// The lane whose pods come first, and after which the pool is called.
    pub(crate) fn lane(&self) -> &str {
        let (Self::Only(lane) | Self::FallingBack(lane)) = self;
        lane
    }

    /// Whether the baseline answers while no pod of the lane does.
    pub(crate) fn falls_back(&self) -> bool {
        matches!(self, Self::FallingBack(_))
    }
}

impl LaneGroup {
    /// Where requests of a lane go at a service.
    pub(crate) fn pool(&self, service: &Service, lane: &str) -> Pool {
        let spec = &self.spec;
        let is_held = |lane: &Lane| spec.membership == Membership::Discovered || spec.holds(lane, service);
        match spec.mode {
            // A strict lane holds every service, once the document is checked; one that only cannot fall back may lack some.
            Mode::Strict if spec.lane(lane).is_some_and(is_held) => Pool::Only(lane.to_owned()),
            Mode::Strict => Pool::Only(spec.baseline.clone()),
            Mode::Permissive if lane == spec.baseline => Pool::Only(lane.to_owned()),
            // The baseline has the request itself: a copy that fell back would do its work twice.
            Mode::Permissive if spec.mirrored().any(|(mirrored, _)| mirrored.name == lane) => {
                Pool::Only(lane.to_owned())
            }
            Mode::Permissive if spec.lane(lane).is_some_and(is_held) => Pool::FallingBack(lane.to_owned()),
            Mode::Permissive => Pool::Only(spec.baseline.clone()),
        }
    }

    /// The pools of a service, in the order of the lanes.
    pub(crate) fn pools(&self, service: &Service) -> Vec<Pool> {
        let mut pools = Vec::new();
        for lane in &self.spec.lanes {
            let pool = self.pool(service, &lane.name);
            if !pools.contains(&pool) {
                pools.push(pool);
            }
        }
        pools
    }

    /// Whether any lane falls back at any service.
    pub(crate) fn falls_back(&self) -> bool {
        self.spec.services.iter().any(|service| self.pools(service).iter().any(Pool::falls_back))
    }
}
