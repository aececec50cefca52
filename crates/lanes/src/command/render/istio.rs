//! `lanes render istio`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;
use lanes::render::istio::{self, Cost, File, Stage};
use serde_json::{Value, json};

use super::folder;
use crate::command::{FINE, Format, Output, YELLOW, group, print, print_json, remark, rendering::Rendering};

#[derive(Args)]
pub(crate) struct Istio {
    /// A file with one LaneGroup
    #[arg(value_name = "FILE")]
    file: String,
    /// Write files and a kustomization.yaml into this folder, instead of one stream to standard output
    #[arg(long, value_name = "DIR", conflicts_with = "format")]
    output: Option<PathBuf>,
    /// Print the resources in the order in which they must be deleted
    #[arg(long, conflicts_with = "output")]
    delete: bool,
    /// Print what the lane group costs the mesh, instead of the resources
    #[arg(long, conflicts_with_all = ["output", "delete", "stage"])]
    cost: bool,
    /// Print or write the resources of one stage only; each stage needs those before it
    #[arg(long, value_name = "STAGE")]
    stage: Option<Stage>,
    #[command(flatten)]
    print: Output,
    #[command(flatten)]
    rendering: Rendering,
}

impl Istio {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let group = self.rendering.group(&self.file, group(&self.file)?)?;
        if !self.delete && !self.cost && self.rendering.lacks_images(&group) {
            remark(format_args!(
                "{YELLOW}note:{YELLOW:#} the modules' url is a placeholder: say in `filters.image`, or with --image, where yours are"
            ));
        }
        let files = self.rendering.files(&self.file, &group, !self.delete && !self.cost)?;
        if self.cost {
            return self.print_cost(Cost::new(&group, &files));
        }
        let is_asked = |file: &File| self.stage.is_none_or(|stage| file.stage == stage);
        let files: Vec<File> = files.into_iter().filter(is_asked).collect();
        if let Some(folder) = &self.output {
            let kustomization = ("kustomization.yaml".to_owned(), istio::kustomization(&files)?);
            let texts = files.iter().map(|file| (file.name.to_owned(), file.to_string()));
            folder::write(folder, &texts.chain([kustomization]).collect::<Vec<_>>())?;
            return Ok(FINE);
        }
        let files: Vec<File> = if self.delete { files.iter().rev().map(reversed).collect() } else { files };
        match self.print.format {
            Format::Text => print(&files.iter().map(File::to_string).collect::<String>()),
            Format::Json => print_json(&list(&files)?),
        }
    }

    fn print_cost(&self, cost: Cost) -> Result<ExitCode> {
        let Cost { resources, bytes, clusters } = cost;
        match self.print.format {
            Format::Json => print_json(&cost),
            Format::Text => print(&format!(
                "resources  {resources}, {:.0} KB\nclusters   {clusters} in every proxy, about {:.1} MB of its memory\n",
                bytes as f64 / 1e3,
                (clusters * Cost::CLUSTER) as f64 / 1e6
            )),
        }
    }
}

/// What kubectl takes as JSON.
fn list(files: &[File]) -> Result<Value> {
    let documents = files.iter().flat_map(|file| &file.documents);
    let items = documents.map(|document| serde_saphyr::from_str(document)).collect::<Result<Vec<Value>, _>>()?;
    Ok(json!({"apiVersion": "v1", "kind": "List", "items": items}))
}

/// A file whose last resource comes first.
fn reversed(file: &File) -> File {
    let mut file = file.clone();
    file.documents.reverse();
    file
}
