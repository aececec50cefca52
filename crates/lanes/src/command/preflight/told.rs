//! Findings, for people: section by section, each with a mark.

use lanes::{
    document::LaneGroup,
    escape::{Escaped, filled},
    finding::Severity,
    preflight::{Finding, Section},
};
use strum::VariantArray;

use crate::command::{
    GREEN, RED, YELLOW,
    output::{style, sum},
};

/// Of a line.
const WIDTH: usize = 100;

pub(super) fn told(group: &LaneGroup, findings: &[Finding]) -> String {
    let mut text =
        format!("Lane group {} in {}, before it is applied:\n\n", group.metadata.name, group.metadata.namespace);
    for &section in Section::VARIANTS {
        let of_it: Vec<&Finding> = findings.iter().filter(|finding| finding.section == section).collect();
        let worst = of_it.iter().map(|finding| finding.severity).min();
        let (style, mark) = match worst {
            None => (GREEN, "√"),
            Some(Severity::Error) => (RED, "×"),
            Some(_) => (YELLOW, "‼"),
        };
        let all_is_well = if of_it.is_empty() { ": all is well" } else { "" };
        text += &format!("{style}{mark}{style:#} {section}{all_is_well}\n");
        of_it.into_iter().for_each(|finding| text += &one(finding));
    }
    text += &match findings.is_empty() {
        true => format!("\n{GREEN}ok{GREEN:#}: nothing in the cluster would break the lane group\n"),
        false => format!("\n{}\n", sum(findings.iter().map(|finding| finding.severity))),
    };
    text
}

fn one(finding: &Finding) -> String {
    let Finding { severity, anchor, object, happens, remedy, documentation, .. } = finding;
    let style = style(*severity);
    let mut text = format!("    {style}{severity}{style:#} {anchor}: {}\n", Escaped(object));
    for (name, said) in [("", happens), ("remedy: ", remedy), ("see: ", documentation)] {
        text += &filled(&format!("{name}{said}"), "        ", WIDTH);
    }
    text
}
