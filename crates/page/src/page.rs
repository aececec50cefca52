//! What can be asked of the page's server, apart from HTTP.

use std::{
    fs,
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result, ensure};
use lanes::{document::LaneGroup, render::envoy::Pod};
use local_mesh::Client;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    ask::{self, Versions},
    group,
    view::View,
    world::World,
};

/// More threads than that at once would only wait for each other.
const MOST_VISITORS: usize = 64;
const LONGEST_NAME: usize = 256;

/// A lane group that is shown.
pub(crate) struct Page {
    world: Box<dyn World>,
    group: Mutex<LaneGroup>,
    pods: Vec<Pod>,
    versions: Versions,
    client: Client,
}

/// What the page asks for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Wish {
    /// Who answers these visitors.
    Ask(Vec<String>),
    /// Where a visitor goes, and why.
    Explain(String),
    /// Another share of a lane.
    Share { lane: String, percent: u32 },
    /// Another condition of a pod.
    Pod { name: String, condition: String },
}

impl Page {
    pub(crate) fn new(world: Box<dyn World>, group: LaneGroup) -> Result<Self> {
        let pods = world.options().placement.pods(&group)?;
        let versions = Versions::of(&group, &pods);
        let client = Client::new(world.gateway());
        Ok(Self { world, group: Mutex::new(group), pods, versions, client })
    }

    pub(crate) fn view(&self) -> Result<Value> {
        let group = self.current().clone();
        let gateway = self.world.gateway();
        Ok(serde_json::to_value(View::new(&group, &self.pods, &gateway, &*self.world))?)
    }

    pub(crate) fn grant(&self, wish: Wish) -> Result<Value> {
        match wish {
            Wish::Ask(visitors) => {
                ensure!(visitors.len() <= MOST_VISITORS, "no more than {MOST_VISITORS} visitors at once");
                visitors.iter().try_for_each(|who| is_name(who))?;
                let group = self.current().clone();
                Ok(serde_json::to_value(ask::ask(&self.client, &group, &self.versions, &visitors))?)
            }
            Wish::Explain(who) => {
                is_name(&who)?;
                let explanation = group::explain(&self.current(), &who)?;
                let why: Vec<_> = explanation.chain.iter().map(|hop| hop.why.to_string()).collect();
                Ok(json!({"explanation": explanation, "why": why}))
            }
            Wish::Share { lane, percent } => {
                let mut group = self.current();
                let next = group::with_share(&group, &lane, percent)?;
                for file in group::changed(&group, &next, &self.world.options())? {
                    self.world.update(&file.name, &file.to_string())?;
                }
                *group = next;
                Ok(json!({}))
            }
            Wish::Pod { name, condition } => {
                self.world.bring(&name, condition.parse()?)?;
                Ok(json!({}))
            }
        }
    }

    /// The lane group with the shares that the gateway really has, also if somebody else has changed them.
    fn current(&self) -> MutexGuard<'_, LaneGroup> {
        let mut group = self.group.lock().unwrap_or_else(PoisonError::into_inner);
        let text = fs::read_to_string(self.world.directory().join(group::TAGGING)).ok();
        if let Some(tagged) = text.and_then(|text| group::as_tagged(&group, &text)) {
            *group = tagged;
        }
        group
    }
}

fn is_name(who: &str) -> Result<()> {
    ensure!(who.len() <= LONGEST_NAME, "a name of no more than {LONGEST_NAME} bytes");
    let is_sent = who.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    is_sent.then_some(()).with_context(|| format!("{who:?} has characters that no header can hold as they are"))
}
