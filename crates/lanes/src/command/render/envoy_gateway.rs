//! `lanes render envoy-gateway`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use lanes::{
    document::LaneGroup,
    render::envoy_gateway::{self, CLASS},
};

use super::{behind, resources::Resources};
use crate::command::{group, rendering::Rendering};

#[derive(Args)]
pub(crate) struct EnvoyGateway {
    /// A file with one LaneGroup
    #[arg(value_name = "FILE")]
    file: String,
    /// The GatewayClass of the Gateway, unless the document names one that exists (`gateway.ref`)
    #[arg(long, value_name = "NAME", default_value = CLASS)]
    class: String,
    #[command(flatten)]
    resources: Resources,
    #[command(flatten)]
    rendering: Rendering,
}

impl EnvoyGateway {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let group = self.rendering.group(&self.file, group(&self.file)?)?;
        let is_applied = !self.resources.delete;
        let render = |group: &LaneGroup, images: &_| envoy_gateway::render(group, images, &self.class);
        let modules = envoy_gateway::modules(&group);
        let files = self.rendering.files_by(render, &modules, &self.file, &group, is_applied)?;
        if is_applied {
            self.rendering.say_if_images_lack(&group, &modules);
            behind::say(&group, "a mesh behind keeps it (lanes render istio)");
        }
        self.resources.write(files)
    }
}
