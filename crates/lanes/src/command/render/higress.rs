//! `lanes render higress`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use lanes::{
    document::LaneGroup,
    render::higress::{self, Behind, Higress as Options},
};

use super::{behind, resources::Resources};
use crate::command::{group, rendering::Rendering};

#[derive(Args)]
pub(crate) struct Higress {
    /// A file with one LaneGroup
    #[arg(value_name = "FILE")]
    file: String,
    /// The mesh behind the gateway
    #[arg(long, value_name = "MESH", default_value = "none")]
    mesh: Behind,
    /// Lead into the lanes by Ingresses with annotations for canaries, instead of Istio's Gateway and VirtualService
    #[arg(long)]
    ingress: bool,
    #[command(flatten)]
    resources: Resources,
    #[command(flatten)]
    rendering: Rendering,
}

impl Higress {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let group = self.rendering.group(&self.file, group(&self.file)?)?;
        let options = Options { mesh: self.mesh, ingress: self.ingress };
        let is_applied = !self.resources.delete;
        let render = |group: &LaneGroup, images: &_| higress::render(group, images, options);
        let modules = higress::modules(&group, self.mesh);
        let files = self.rendering.files_by(render, &modules, &self.file, &group, is_applied)?;
        if is_applied {
            self.rendering.say_if_images_lack(&group, &modules);
            if self.mesh == Behind::None {
                behind::say(&group, "a mesh behind keeps it (--mesh istio)");
            }
        }
        self.resources.write(files)
    }
}
