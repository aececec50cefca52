//! A service, a lane or a user in sentences: who gets there, from where, what happens when pods die, and which resource says so.

mod lane;
mod resources;
mod service;
mod user;

use serde::Serialize;

pub use resources::Place;

use self::resources::Resources;
use crate::document::{Lane, LaneGroup, Mode, Service};

/// What is described.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A service of the group.
    Service(&'a Service),
    /// A lane of it.
    Lane(&'a Lane),
    /// A user, who may be anybody.
    User(&'a str),
}

/// A sentence, and where the rendered resources say the same.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Sentence {
    /// The sentence.
    pub text: String,
    /// Where the resources say it, if one line does.
    pub place: Option<Place>,
}

impl<'a> Subject<'a> {
    /// What a word means: a service, a lane or a user, in this order; `service/`, `lane/` or `user/` before it leaves no choice.
    /// `None` if it must be a service or a lane that the group does not have.
    pub fn of(group: &'a LaneGroup, word: &'a str) -> Option<Self> {
        let spec = &group.spec;
        match word.split_once('/') {
            Some(("service", name)) => spec.service(name).map(Self::Service),
            Some(("lane", name)) => spec.lane(name).map(Self::Lane),
            Some(("user", name)) => Some(Self::User(name)),
            _ => {
                let lane = || spec.lane(word).map(Self::Lane);
                Some(spec.service(word).map(Self::Service).or_else(lane).unwrap_or(Self::User(word)))
            }
        }
    }
}

/// Describes it in sentences.
///
/// # Errors
/// The lane group, though valid, cannot be rendered.
pub fn describe(group: &LaneGroup, subject: Subject<'_>) -> anyhow::Result<Vec<Sentence>> {
    let resources = Resources::of(group)?;
    let mut writer = Writer { group, resources: &resources, sentences: Vec::new() };
    match subject {
        Subject::Service(service) => writer.service(service),
        Subject::Lane(lane) => writer.lane(lane),
        Subject::User(user) => writer.user(user)?,
    }
    Ok(writer.sentences)
}

struct Writer<'a> {
    group: &'a LaneGroup,
    resources: &'a Resources,
    sentences: Vec<Sentence>,
}

impl Writer<'_> {
    fn say(&mut self, text: impl Into<String>, place: Option<Place>) {
        self.sentences.push(Sentence { text: text.into(), place });
    }

    /// Which pods answer for a lane at a service, and what happens when they die.
    fn pods(&mut self, service: &Service, lane: &Lane) {
        let spec = &self.group.spec;
        let (name, lane_name, baseline) = (spec.reference(service), &lane.name, &spec.baseline);
        let labels: Vec<String> = lane.labels.iter().map(|(label, value)| format!("{label}={value}")).collect();
        let labels = labels.join(",");
        if spec.holds(lane, service) {
            let text = format!("Lane {lane_name} has pods of {name} of its own, those with {labels}.");
            self.say(text, self.resources.pods(service, lane_name));
        } else if spec.mode == Mode::Permissive {
            self.say(format!("Lane {lane_name} lacks {name}, so the baseline's pods answer for it."), None);
        }
        let pool = self.group.pool(service, lane_name);
        if pool.falls_back() {
            let die =
                if spec.holds(lane, service) { "When they die" } else { "A pod that joins it is used; when it dies" };
            let text = format!("{die}, the baseline {baseline} answers until one is healthy again.");
            self.say(text, self.resources.fallback(service, lane_name));
        } else if spec.holds(lane, service) {
            self.say("When they die, requests of the lane fail with 503: nothing answers in their place.", None);
        }
    }
}
