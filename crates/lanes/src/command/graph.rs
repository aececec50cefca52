//! `lanes graph`.

mod prometheus;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use lanes::{
    document::LaneGroup,
    escape::Escaped,
    graph::{Graph, dot, mermaid, svg},
};

use super::{
    FINE, YELLOW, group,
    output::{print_bytes, replace},
    remark,
};

#[derive(Args)]
pub(crate) struct Options {
    /// A file with one LaneGroup
    #[arg(value_name = "FILE")]
    file: String,
    /// What is written
    #[arg(long, value_name = "FORMAT", default_value = "svg")]
    format: Picture,
    /// The file to write, `-` for standard output
    #[arg(short = 'o', long = "output", value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Draw what this Prometheus has measured, instead of what the lane group says
    #[arg(long, value_name = "URL")]
    prometheus: Option<String>,
    /// Ask it for something else than what docs/metrics.md records: a series for each `service`, `namespace`, `lane` that the
    /// requests belong to, and lane that has `answered`; `{group}` is the lane group's name
    #[arg(long, value_name = "PROMQL", requires = "prometheus")]
    query: Option<String>,
}

/// What a graph is written as.
#[derive(Clone, Copy, ValueEnum)]
enum Picture {
    /// A picture for documents, light and dark
    Svg,
    /// A flowchart, for Markdown on GitHub and GitLab
    Mermaid,
    /// For Graphviz
    Dot,
}

impl Options {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let group = group(&self.file)?;
        let graph = match &self.prometheus {
            Some(url) => self.measured(&group, url)?,
            None => Graph::of(&group),
        };
        let text = match self.format {
            Picture::Svg => svg(&graph),
            Picture::Mermaid => mermaid(&graph),
            Picture::Dot => dot(&graph),
        };
        if self.output.as_os_str() == "-" {
            return print_bytes(text.as_bytes());
        }
        replace(&self.output, text.as_bytes())?;
        Ok(FINE)
    }

    fn measured(&self, group: &LaneGroup, url: &str) -> Result<Graph> {
        let query = self.query.as_deref().unwrap_or(prometheus::QUERY).replace("{group}", &group.metadata.name);
        let samples = prometheus::samples(url, &query)?;
        let measured = Graph::of(group).measured(&samples);
        if samples.len() == measured.unknown.len() {
            bail!("{url}: nothing is known of the lane group's requests: does it have the rules of docs/metrics.md?");
        }
        for sample in measured.unknown {
            let said = format!("{} of {}, answered by {}", sample.service, sample.lane, sample.answered);
            let (said, rate) = (Escaped(said), sample.rate);
            remark(format_args!(
                "{YELLOW}note:{YELLOW:#} not in the lane group, so not drawn: {said}: {rate:.2} requests/s"
            ));
        }
        Ok(measured.graph)
    }
}
