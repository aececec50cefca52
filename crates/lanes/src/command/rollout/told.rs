//! Steps, for people and for programs.

use lanes::{
    escape::Escaped,
    render::yaml,
    rollout::{Change, Pass, Resource, Step},
};
use serde_json::{Value, json};
use similar::TextDiff;

use super::Progress;
use crate::command::{GREEN, RED, YELLOW};

/// The lines around a difference.
const AROUND: usize = 3;

pub(super) fn heading(subject: &str, steps: &[Step]) -> String {
    match steps.len() {
        0 => format!("{subject}: nothing differs\n"),
        1 => format!("{subject}: one step\n"),
        number => format!("{subject}: {number} steps\n"),
    }
}

pub(super) fn step(number: usize, steps: &[Step]) -> String {
    let name = steps.get(number).map(name).unwrap_or_default();
    format!("{}/{} {name}\n", number + 1, steps.len())
}

/// The steps with what differs.
pub(super) fn planned(subject: &str, steps: &[Step]) -> String {
    let mut text = heading(subject, steps);
    for (number, of) in steps.iter().enumerate() {
        text += &step(number, steps);
        for Change { from, to, .. } in &of.apply {
            match from {
                None => text += &format!("  {GREEN}+ {}{GREEN:#}\n", to.id()),
                Some(from) => text += &format!("  {YELLOW}~ {}{YELLOW:#}\n{}", to.id(), difference(from, to)),
            }
        }
        for resource in &of.delete {
            text += &format!("  {RED}- {}{RED:#}\n", resource.id());
        }
    }
    text
}

pub(super) fn failed(number: usize, steps: &[Step]) -> String {
    let name = steps.get(number).map(name).unwrap_or_default();
    format!("step {} of {}, {name}, has failed", number + 1, steps.len())
}

/// What is in force after so many steps.
pub(super) fn so_far(done: usize, steps: &[Step], is_begun: bool, back: &str) -> String {
    let names = |steps: &[Step]| match steps.iter().map(name).collect::<Vec<_>>().join(", ") {
        names if names.is_empty() => "nothing".to_owned(),
        names => names,
    };
    let (done, rest) = steps.split_at_checked(done).unwrap_or((steps, &[]));
    let (begun, rest) = rest.split_at_checked(usize::from(is_begun)).unwrap_or_default();
    let in_part = if is_begun { format!("\n  in part:   {}", names(begun)) } else { String::new() };
    format!(
        "  in force:  {}{in_part}\n  not begun: {}\nNo request is lost by this. The same command goes on; {back}",
        names(done),
        names(rest)
    )
}

pub(super) fn sum(steps: &[Step]) -> String {
    let applied = || steps.iter().flat_map(|step| &step.apply);
    let created = applied().filter(|change| change.from.is_none()).count();
    let mut changed: Vec<_> = applied().filter(|change| change.from.is_some()).map(|change| change.to.id()).collect();
    changed.sort();
    changed.dedup();
    let deleted: usize = steps.iter().map(|step| step.delete.len()).sum();
    format!("{created} created, {} changed, {deleted} deleted", changed.len())
}

pub(super) fn json(steps: &[Step], progress: Option<Progress<'_>>) -> Value {
    let state = |number: usize| match progress {
        None => "planned",
        Some(Progress::Done) => "done",
        Some(Progress::Failed(done, _) | Progress::Stopped(done)) if number < done => "done",
        Some(Progress::Failed(done, _)) if number == done => "failed",
        Some(_) => "not begun",
    };
    let step = |(number, step): (usize, &Step)| {
        let change = |change: &Change| {
            let what = if change.from.is_none() { "create" } else { "change" };
            json!({"change": what, "resource": change.to.id()})
        };
        json!({
            "wave": step.wave,
            "pass": match step.pass { Pass::Widen => "widen", Pass::Narrow => "narrow" },
            "state": state(number),
            "apply": step.apply.iter().map(change).collect::<Vec<_>>(),
            "delete": step.delete.iter().map(Resource::id).collect::<Vec<_>>(),
        })
    };
    let steps: Vec<Value> = steps.iter().enumerate().map(step).collect();
    match progress {
        Some(Progress::Failed(_, error)) => json!({"steps": steps, "error": error}),
        _ => json!({"steps": steps}),
    }
}

fn name(step: &Step) -> String {
    match step.pass {
        Pass::Widen => step.wave.name().to_owned(),
        Pass::Narrow => format!("old {}", step.wave.name()),
    }
}

fn difference(from: &Resource, to: &Resource) -> String {
    let text = |resource: &Resource| {
        let field = |pointer| resource.value().pointer(pointer).cloned();
        let metadata = json!({"labels": field("/metadata/labels"), "annotations": field("/metadata/annotations")});
        yaml(&json!({"metadata": metadata, "spec": field("/spec")})).unwrap_or_default()
    };
    let (from, to) = (text(from), text(to));
    let difference = TextDiff::from_lines(&from, &to).unified_diff().context_radius(AROUND).to_string();
    difference.lines().map(|line| format!("    {}\n", Escaped(line))).collect()
}
