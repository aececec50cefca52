//! `lanes explain`.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use header_edit::{HeaderList, HeaderName};
use lanes::{
    document::LaneGroup,
    escape::Escaped,
    explain::{Copied, Explanation, Hop, explain, identify, served},
};

use super::{Format, Output, group, print, print_json};

#[derive(Args)]
pub(crate) struct Options {
    /// A file with one LaneGroup
    #[arg(value_name = "FILE")]
    file: String,
    /// The user: the identity, where the lane group looks for it first
    #[arg(long)]
    user: Option<String>,
    /// A header of the request, as `name: value`; may be repeated
    #[arg(long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// The request's host; one that the gateway serves unless given
    #[arg(long)]
    host: Option<String>,
    /// The request's path, with its query
    #[arg(long, default_value = "/")]
    path: String,
    /// The request's method
    #[arg(long, default_value = "GET")]
    method: String,
    #[command(flatten)]
    output: Output,
}

impl Options {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let group = group(&self.file)?;
        let explanation = explain(&group, &self.request(&group)?)?;
        match self.output.format {
            Format::Json => print_json(&explanation),
            Format::Text => print(&told(&explanation)),
        }
    }

    fn request(&self, group: &LaneGroup) -> Result<HeaderList> {
        let mut request = HeaderList::default();
        let mut path = self.path.clone();
        if let Some(user) = &self.user {
            let first = group.spec.users().and_then(|users| users.identity.first());
            let place = first.context("the lane group does not assign by user: describe the request with --header")?;
            identify(&mut request, &mut path, place, user);
        }
        for header in &self.headers {
            let Some((name, value)) = header.split_once(':') else {
                bail!("--header {header}: expected `name: value`");
            };
            let name = HeaderName::parse(name).with_context(|| format!("--header {header}"))?;
            request.push(name.as_str(), value.trim());
        }
        let host = self.host.clone().unwrap_or_else(|| served(group));
        for (name, value) in [(":method", self.method.as_str()), (":path", &path), (":authority", &host)] {
            request.push(name, value);
        }
        Ok(request)
    }
}

fn told(explanation: &Explanation) -> String {
    let Explanation { lane, route, because, bucket, chain, copies } = explanation;
    let mut told = match lane {
        Some(lane) => format!("lane    {}: {because}\n", Escaped(lane)),
        None => format!("lane    none: {because}\n"),
    };
    if let Some((bucket, modulo)) = bucket {
        told += &format!("bucket  {bucket} of {modulo}\n");
    }
    if let Some(route) = route {
        told += &format!("route   {}\n", Escaped(route));
    }
    for Copied { lane, percent } in copies {
        told += &format!("copy    of {percent} % goes to lane {} as well, whose answer nobody sees\n", Escaped(lane));
    }
    let width = chain.iter().map(|hop| hop.service.len()).max().unwrap_or_default();
    let hop = |(index, hop): (usize, &Hop)| {
        let label = if index == 0 { "chain" } else { "" };
        format!("{label:7} {:width$}  {:8} {}\n", hop.service, hop.lane.as_deref().unwrap_or("503"), hop.why)
    };
    told + &chain.iter().enumerate().map(hop).collect::<String>()
}
