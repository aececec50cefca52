//! Reports, for people: section by section, each check with a mark.

use lanes::{
    document::LaneGroup,
    escape::{Escaped, filled},
    verify::{Finding, Outcome, Report, Section, Status},
};
use reqwest::Url;
use strum::VariantArray;

use crate::command::{GREEN, RED, YELLOW, output::plural};

/// Of a line.
const WIDTH: usize = 100;

/// Everything.
pub(super) fn whole(group: &LaneGroup, gateway: &Url, report: &Report) -> String {
    let mut text = format!("Lane group {} at {gateway}, {} requests:\n", group.metadata.name, report.requests);
    for &section in Section::VARIANTS {
        text += &format!("\n{section}\n");
        report.checks.iter().filter(|outcome| outcome.section == section).for_each(|outcome| text += &one(outcome));
        if section == Section::Shares {
            text += &shares(report);
        }
    }
    text + &latency(report) + &sum(report)
}

/// One of several rounds: what is wrong, if anything is.
pub(super) fn again(round: usize, report: &Report) -> String {
    let failed = report.checks.iter().filter(|outcome| outcome.status == Status::Failed);
    let failed: String = failed.map(one).collect();
    let (style, mark) = mark(if failed.is_empty() { Status::Passed } else { Status::Failed });
    format!("{style}{mark}{style:#} round {round}, {} requests\n{failed}", report.requests)
}

fn one(outcome: &Outcome) -> String {
    let (style, mark) = mark(outcome.status);
    let detail = match outcome.status {
        Status::Unchecked => format!("not checked: {}", outcome.detail),
        _ => outcome.detail.clone(),
    };
    let line = format!("{style}{mark}{style:#} {}: {}\n", outcome.check, Escaped(detail));
    line + &outcome.findings.iter().map(finding).collect::<String>()
}

fn finding(finding: &Finding) -> String {
    let Finding { what, cause, who, others, requests, of, answered, documentation, .. } = finding;
    let others = if *others > 0 { format!(" and {others} more") } else { String::new() };
    let mut text = filled(what, "    ", WIDTH);
    let answered = if answered.is_empty() { String::new() } else { format!(", such as {answered}") };
    for line in [
        format!("seen: {who}{others}, {requests} of {of} requests{answered}"),
        format!("cause: {cause}"),
        format!("see: {documentation}"),
    ] {
        text += &filled(&line, "        ", WIDTH);
    }
    text
}

fn shares(report: &Report) -> String {
    let width = report.shares.iter().map(|share| share.lane.chars().count()).max().unwrap_or_default();
    let share = |share: &lanes::verify::Share| {
        let (from, to) = share.interval;
        format!(
            "    {:width$}  {:>5.1} %, {from:.1} to {to:.1} for all; the group says {} %\n",
            Escaped(&share.lane).to_string(),
            share.percent,
            share.expected
        )
    };
    report.shares.iter().map(share).collect()
}

fn latency(report: &Report) -> String {
    if report.latency.is_empty() {
        return String::new();
    }
    let width = report.latency.iter().map(|latency| latency.lane.chars().count()).max().unwrap_or_default();
    let row = |latency: &lanes::verify::Latency| {
        let lane = Escaped(&latency.lane).to_string();
        format!(
            "    {lane:width$}  {:>7} answers, median {:.1} ms, 90 % below {:.1}, 99 % below {:.1}\n",
            latency.answers, latency.p50, latency.p90, latency.p99
        )
    };
    format!("\nlatency\n{}", report.latency.iter().map(row).collect::<String>())
}

fn sum(report: &Report) -> String {
    let count = |status| report.checks.iter().filter(|outcome| outcome.status == status).count();
    let unchecked = match count(Status::Unchecked) {
        0 => String::new(),
        number => format!(", {number} not checked"),
    };
    match count(Status::Failed) {
        0 => format!("\n{GREEN}ok{GREEN:#}: {} passed{unchecked}\n", plural(count(Status::Passed), "check")),
        failed => format!("\n{} failed, {} passed{unchecked}\n", plural(failed, "check"), count(Status::Passed)),
    }
}

fn mark(status: Status) -> (anstyle::Style, &'static str) {
    match status {
        Status::Passed => (GREEN, "√"),
        Status::Failed => (RED, "×"),
        Status::Unchecked => (YELLOW, "-"),
    }
}
