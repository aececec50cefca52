//! `lanes render gateway-api`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use lanes::{document::LaneGroup, render::any_gateway};

use super::{behind, resources::Resources};
use crate::command::{YELLOW, group, remark};

#[derive(Args)]
pub(crate) struct GatewayApi {
    /// A file with one LaneGroup
    #[arg(value_name = "FILE")]
    file: String,
    /// The GatewayClass of the Gateway, unless the document names one that exists (`gateway.ref`)
    #[arg(long, value_name = "NAME")]
    class: Option<String>,
    #[command(flatten)]
    resources: Resources,
}

impl GatewayApi {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let group = group(&self.file)?;
        let files = any_gateway::render(&group, self.class.as_deref());
        let files = files.with_context(|| format!("failed to render {}", self.file))?;
        if !self.resources.delete {
            say_what_lacks(&group);
            behind::say(&group, "a mesh behind keeps it");
        }
        self.resources.write(files)
    }
}

fn say_what_lacks(group: &LaneGroup) {
    if any_gateway::asks_for_tag(group) {
        let header = &group.spec.route_header;
        remark(format_args!(
            "{YELLOW}note:{YELLOW:#} nothing here writes {header}: a proxy in front must, and take away what clients send"
        ));
    }
    if any_gateway::lacks_fallback(group) {
        remark(format_args!(
            "{YELLOW}note:{YELLOW:#} nothing falls back here: a lane has the services that the document lists, and does not answer while \
             one of them has no ready pod"
        ));
    }
}
