//! What becomes of rendered resources: they are printed, for kubectl or for programs, or written into a folder.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;
use lanes::render::istio::{self, File, Stage};
use serde_json::{Value, json};

use super::folder;
use crate::command::{FINE, Format, Output, print, print_json};

#[derive(Args)]
pub(super) struct Resources {
    /// Write files and a kustomization.yaml into this folder, instead of one stream to standard output
    #[arg(long, value_name = "DIR", conflicts_with = "format")]
    output: Option<PathBuf>,
    /// Print the resources in the order in which they must be deleted
    #[arg(long, conflicts_with = "output")]
    pub(super) delete: bool,
    /// Print or write the resources of one stage only; each stage needs those before it
    #[arg(long, value_name = "STAGE")]
    stage: Option<Stage>,
    #[command(flatten)]
    pub(super) print: Output,
}

impl Resources {
    /// Prints or writes the files, which are in the order of application.
    pub(super) fn write(&self, files: Vec<File>) -> Result<ExitCode> {
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
