//! Reports as JUnit's XML, which pipelines show.

use lanes::{
    document::LaneGroup,
    escape::Escaped,
    verify::{Finding, Outcome, Report, Status},
};

pub(super) fn junit(group: &LaneGroup, report: &Report) -> String {
    let count = |status| report.checks.iter().filter(|outcome| outcome.status == status).count();
    let name = text(&group.metadata.name);
    let (tests, failures, skipped) = (report.checks.len(), count(Status::Failed), count(Status::Unchecked));
    let cases: String = report.checks.iter().map(|outcome| case(&name, outcome)).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <testsuite name=\"lanes verify {name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">\n\
        {cases}</testsuite>\n"
    )
}

fn case(group: &str, outcome: &Outcome) -> String {
    let inside = match outcome.status {
        Status::Passed => {
            return format!("  <testcase classname=\"{group}.{}\" name=\"{}\"/>\n", outcome.section, outcome.check);
        }
        Status::Failed => outcome.findings.iter().map(failure).collect(),
        Status::Unchecked => format!("    <skipped message=\"{}\"/>\n", text(&outcome.detail)),
    };
    format!(
        "  <testcase classname=\"{group}.{}\" name=\"{}\">\n{inside}  </testcase>\n",
        outcome.section, outcome.check
    )
}

fn failure(finding: &Finding) -> String {
    let Finding { what, cause, who, requests, of, documentation, .. } = finding;
    let said = format!("{who}, {requests} of {of} requests; cause: {cause}; see {documentation}");
    format!("    <failure message=\"{}\">{}</failure>\n", text(what), text(&said))
}

/// What XML has a meaning for is escaped, and so is what it has no way to write.
fn text(text: &str) -> String {
    let text = Escaped(text).to_string();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
