//! `lanes render envoy`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::Args;
use lanes::render::envoy::{self, Placement};
use serde_json::{Map, Value};

use super::folder;
use crate::command::{FINE, Format, Output, group, print, print_json};

#[derive(Args)]
pub(crate) struct Envoy {
    /// A file with one LaneGroup
    #[arg(value_name = "FILE")]
    file: String,
    /// Write the files into this folder, instead of one stream to standard output
    #[arg(long, value_name = "DIR", conflicts_with = "format")]
    output: Option<PathBuf>,
    /// The DNS name of the pods of a service in a lane, with `{service}` and `{lane}` in it; without, the pods are processes
    /// of this machine, on 127.0.x.y
    #[arg(long, value_name = "NAME")]
    host: Option<Placement>,
    /// The folder of the modules, as seen from the files
    #[arg(long, value_name = "DIR", default_value = ".")]
    modules: PathBuf,
    /// The port of an application behind its sidecar
    #[arg(long, value_name = "PORT", default_value_t = envoy::Options::default().application_port)]
    application_port: u16,
    /// The path that a healthy application answers with 200
    #[arg(long, value_name = "PATH", default_value_t = envoy::Options::default().health_path)]
    health_path: String,
    #[command(flatten)]
    print: Output,
}

impl Envoy {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let group = group(&self.file)?;
        let options = envoy::Options {
            placement: self.host.clone().unwrap_or(Placement::Loopback),
            modules: self.modules.clone(),
            application_port: self.application_port,
            health_path: self.health_path.clone(),
        };
        let files = envoy::render(&group, &options).with_context(|| format!("failed to render {}", self.file))?;
        if let Some(folder) = &self.output {
            let texts = files.iter().map(|file| (file.name.clone(), file.to_string()));
            folder::write(folder, &texts.collect::<Vec<_>>())?;
            return Ok(FINE);
        }
        match self.print.format {
            Format::Text => {
                let texts = files.iter().map(|file| format!("---\n# {}\n{file}", file.name));
                print(&texts.collect::<String>())
            }
            Format::Json => {
                let contents = files.iter().map(|file| Ok((file.name.clone(), serde_saphyr::from_str(&file.text)?)));
                let contents = contents.collect::<Result<Map<String, Value>>>()?;
                print_json(&contents)
            }
        }
    }
}
