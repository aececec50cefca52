//! `lanes render istio`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use lanes::render::{istio::Cost, modules};

use super::resources::Resources;
use crate::command::{Format, group, print, print_json, rendering::Rendering};

#[derive(Args)]
pub(crate) struct Istio {
    /// A file with one LaneGroup
    #[arg(value_name = "FILE")]
    file: String,
    #[command(flatten)]
    resources: Resources,
    /// Print what the lane group costs the mesh, instead of the resources
    #[arg(long, conflicts_with_all = ["output", "delete", "stage"])]
    cost: bool,
    #[command(flatten)]
    rendering: Rendering,
}

impl Istio {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let group = self.rendering.group(&self.file, group(&self.file)?)?;
        let is_applied = !self.resources.delete && !self.cost;
        if is_applied {
            self.rendering.say_if_images_lack(&group, &modules(&group));
        }
        let files = self.rendering.files(&self.file, &group, is_applied)?;
        if self.cost {
            return self.print_cost(Cost::new(&group, &files));
        }
        self.resources.write(files)
    }

    fn print_cost(&self, cost: Cost) -> Result<ExitCode> {
        let Cost { resources, bytes, clusters } = cost;
        match self.resources.print.format {
            Format::Json => print_json(&cost),
            Format::Text => print(&format!(
                "resources  {resources}, {:.0} KB\nclusters   {clusters} in every proxy, about {:.1} MB of its memory\n",
                bytes as f64 / 1e3,
                (clusters * Cost::CLUSTER) as f64 / 1e6
            )),
        }
    }
}
