//! What is wrong about an answer, and whose fault it is.

use serde::Serialize;

use super::check::Check;
use crate::document::{LaneGroup, Propagation, Spec};

/// What is wrong about an answer.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Fault {
    /// There was none.
    Unanswered {
        /// Why.
        why: String,
    },
    /// It says failure.
    Failed {
        /// Its status code.
        status: u16,
        /// The last service that was reached, if the answer says so.
        behind: Option<String>,
    },
    /// A service was reached, though none was to be.
    LetIn,
    /// It does not say which versions gave it.
    Unreadable,
    /// A version that no lane has.
    UnknownVersion {
        /// Of this service.
        service: String,
        /// As it says.
        version: String,
    },
    /// Another lane, from the first service on.
    AnotherLane {
        /// The lane.
        lane: String,
        /// The lane that was to be.
        expected: String,
        /// Whether that is known by the tag that the first service got, and not only by the versions.
        is_certain: bool,
    },
    /// The lane that the client asked for and must not get.
    Spoofed {
        /// The lane.
        lane: String,
    },
    /// The lane was left on the way.
    Lost {
        /// The last service that got the request in its lane; none if the answer does not show it.
        from: Option<String>,
        /// The first that did not.
        to: String,
        /// The lane.
        lane: String,
        /// Whose fault it is.
        culprit: Culprit,
        /// Whether the lane lacks the service before.
        is_behind_fallback: bool,
    },
    /// A pod of a version that is not the lane's.
    ForeignPod {
        /// The service.
        service: String,
        /// The version.
        version: String,
        /// The lane that it answered for.
        lane: String,
        /// Whether the lane lacks the service, so that the baseline is to answer.
        is_fallback: bool,
    },
    /// The baseline answered for a lane that has the service.
    LacksPod {
        /// The service.
        service: String,
        /// The lane.
        lane: String,
    },
    /// Several lanes for the same request.
    Flaps {
        /// The lanes.
        lanes: Vec<String>,
        /// Whether that is known by the tags.
        is_certain: bool,
    },
    /// The client did not get the cookie that keeps it in its lane.
    NotIssued {
        /// The cookie.
        cookie: String,
    },
    /// A lane has another share than it should.
    Share {
        /// The lane.
        lane: String,
    },
}

/// Who loses a lane.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Culprit {
    /// The application did not forward what carries the tag.
    Application,
    /// The application forwarded it, and its sidecar made no tag of it.
    Sidecar,
    /// The request itself had nothing that could carry the tag.
    Request,
    /// The answers do not show it.
    Unknown,
}

impl Fault {
    /// The check that it belongs to, for a request that is for `asked`.
    pub fn check(&self, asked: Check) -> Check {
        match self {
            Self::Unanswered { .. } | Self::Failed { .. } => Check::RequestsAreAnswered,
            Self::Unreadable | Self::UnknownVersion { .. } => Check::VersionsAreKnown,
            Self::LetIn | Self::AnotherLane { .. } | Self::Spoofed { .. } | Self::NotIssued { .. } => asked,
            Self::Lost { culprit: Culprit::Application | Culprit::Request, .. } => Check::CarrierIsForwarded,
            Self::Lost { culprit: Culprit::Sidecar, .. } => Check::TagIsCarried,
            Self::Lost { is_behind_fallback: true, .. } => Check::LaneGoesOnBehindIt,
            Self::Lost { .. } => Check::LaneIsKept,
            Self::ForeignPod { is_fallback: true, .. } => Check::LackingServiceFallsBack,
            Self::ForeignPod { .. } | Self::LacksPod { .. } => Check::PodsAreOfTheirLane,
            Self::Flaps { .. } => Check::SameUserSameLane,
            Self::Share { .. } => Check::ShareOfLane,
        }
    }

    /// What was seen.
    pub fn told(&self) -> String {
        match self {
            Self::Unanswered { why } => format!("no answer: {why}"),
            Self::Failed { status, behind: Some(behind) } => {
                format!("answered with {status}, the last service was {behind}")
            }
            Self::Failed { status, behind: None } => format!("answered with {status}"),
            Self::LetIn => "a service answered, and none was to be reached".to_owned(),
            Self::Unreadable => "the answer does not say which version of which service gave it".to_owned(),
            Self::UnknownVersion { service, version } => {
                format!("{service} answered as version `{version}`, which no lane has")
            }
            Self::AnotherLane { lane, expected, is_certain: true } => format!("entered lane {lane}, not {expected}"),
            Self::AnotherLane { lane, expected, is_certain: false } => {
                format!("reached what lane {lane} reaches, not what {expected} does")
            }
            Self::Spoofed { lane } => format!("got lane {lane}, which it asked for"),
            Self::Lost { from: Some(from), to, lane, .. } => format!("lane {lane} was lost between {from} and {to}"),
            Self::Lost { from: None, to, lane, .. } => format!("lane {lane} was lost before {to}"),
            Self::ForeignPod { service, version, lane, .. } => {
                format!("a pod of {service} that says it is {version} answered in lane {lane}")
            }
            Self::LacksPod { service, lane } => {
                format!("the baseline's {service} answered in lane {lane}, which has its own")
            }
            Self::Flaps { lanes, .. } => format!("the same request was in lanes {} by turns", lanes.join(" and ")),
            Self::NotIssued { cookie } => format!("the answer did not bring the cookie `{cookie}`"),
            Self::Share { lane } => format!("lane {lane} has another share than the group gives it"),
        }
    }

    /// The likely cause, and what to do.
    pub fn cause(&self, group: &LaneGroup) -> String {
        let spec = &group.spec;
        match self {
            Self::Unanswered { .. } => "the gateway's address or port, its host (--host), or with https the authority of its \
                certificate (SSL_CERT_FILE)"
                .to_owned(),
            Self::Failed { status: 404, .. } => {
                "no route takes it: the group is not applied to this gateway, or the host (--host) or path (--path) is another's"
                    .to_owned()
            }
            Self::Failed { .. } => {
                "no healthy pod that the lane may use, or the application itself; `lanes preflight` looks for the first".to_owned()
            }
            Self::LetIn => "what is applied is not this group: `lanes apply --dry-run` says what differs".to_owned(),
            Self::Unreadable => "say where it is: --answer header:NAME or --answer json:/POINTER".to_owned(),
            Self::UnknownVersion { .. } => {
                "a pod that belongs to no lane; or the version is in another label (--version-label)".to_owned()
            }
            Self::AnotherLane { is_certain: true, .. } => entered(spec),
            Self::AnotherLane { is_certain: false, .. } => format!(
                "{}; or the lane was lost before the first service that differs, or the lane has no healthy pod there: --propagation says which",
                entered(spec)
            ),
            Self::Spoofed { .. } => {
                "the gateway lets a client's tag through: what takes it away is not loaded (filters fail open), or what is applied \
                has `clients: mayChoose`"
                    .to_owned()
            }
            Self::Lost { from, culprit, .. } => lost(spec, from.as_deref().unwrap_or("the service before"), *culprit),
            Self::ForeignPod { service, version, lane, .. } => {
                let labels = spec.lane(lane).map(|lane| &lane.labels);
                let labels = labels.into_iter().flatten().map(|(name, value)| format!("{name}={value}"));
                let labels = labels.collect::<Vec<_>>().join(",");
                format!("a wrong pod label: a pod of {service} that runs {version} has {labels}")
            }
            Self::LacksPod { service, lane } => {
                let labels = spec.lane(lane).map(|lane| &lane.labels);
                let labels = labels.into_iter().flatten().map(|(name, value)| format!("{name}={value}"));
                let labels = labels.collect::<Vec<_>>().join(",");
                format!("no healthy pod of {service} has the labels {labels}, or one that has them runs the baseline's version")
            }
            Self::Flaps { is_certain: true, .. } => {
                "the gateway's pods do not agree: in one of them the filter is not loaded, or is configured otherwise".to_owned()
            }
            Self::Flaps { is_certain: false, .. } => "the gateway's pods do not agree, or a pod of the baseline has a wrong \
                label, or a lane's pods are not always healthy: --propagation says which"
                .to_owned(),
            Self::NotIssued { .. } => "the gateway's module is not hash-tagging-cookie, or is not loaded (filters fail open); or \
                something behind it takes cookies out of answers"
                .to_owned(),
            Self::Share { .. } => {
                "the weights or the split that is applied is another: `lanes apply --dry-run` says what differs".to_owned()
            }
        }
    }
}

fn entered(spec: &Spec) -> String {
    let older = "what is applied is another group's or an older one";
    match spec.has_filter_at_gateway() {
        true => {
            format!("the gateway's hash tagging decides otherwise: it is not loaded (filters fail open), or {older}")
        }
        false => format!("the gateway decides otherwise: {older}"),
    }
}

fn lost(spec: &Spec, from: &str, culprit: Culprit) -> String {
    let carrier = carrier(spec);
    match culprit {
        Culprit::Application if spec.propagation() == Propagation::Application => {
            format!("the application of {from} got the route header `{carrier}` and did not forward it")
        }
        Culprit::Application => format!("the application of {from} got {carrier} and did not forward it"),
        Culprit::Sidecar => format!(
            "the sidecar of {from} did not carry the tag although the application forwarded {carrier}: the filter is not in it, \
            or not in both of its directions"
        ),
        Culprit::Request => {
            format!("the request came to {from} without {carrier}, so nothing could bring the tag back")
        }
        Culprit::Unknown => format!(
            "the sidecar of {from} lacks the filter, or its application did not forward {carrier}: --propagation says which"
        ),
    }
}

/// What the applications are to forward, in words.
fn carrier(spec: &Spec) -> String {
    match spec.propagation() {
        Propagation::Trace(trace) => format!("`{}`", trace.header),
        Propagation::Baggage(baggage) => {
            format!("`baggage` with the member `{}`", baggage.key.as_ref().unwrap_or(&spec.route_header))
        }
        Propagation::Application => spec.route_header.clone(),
        Propagation::SourceLabels => "anything".to_owned(),
    }
}
