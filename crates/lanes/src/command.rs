//! The command line.

mod apply;
mod check;
mod delete;
mod describe;
mod diff;
mod explain;
mod graph;
mod ids;
mod import;
mod input;
mod inspect;
mod kubectl;
mod lane;
mod man;
mod output;
mod preflight;
mod pull;
mod push;
mod registry;
mod render;
mod rendering;
mod rollout;
mod split;
mod verify;

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use anyhow::{Result, bail};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use lanes::{document::LaneGroup, file};
use schemars::{Schema, schema_for};

pub(crate) use self::output::remark;
use self::{
    input::text,
    output::{print, print_json},
};

pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default().bold();

/// What the exit status says: nothing was found.
const FINE: ExitCode = ExitCode::SUCCESS;

#[derive(Parser)]
#[command(
    name = "lanes",
    version,
    about = "Traffic lanes for Envoy and Istio, from one document",
    after_help = "Exit status: 0 all is well, 1 something was found, 2 the command could not be carried out.\n\
        A FILE of `-` is standard input."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Say everything that is wrong with lane groups and plug-in configurations
    #[command(
        after_help = "Example:\n  lanes check group.yaml\n  kubectl get wasmplugin hash-tagging -o yaml | lanes check -"
    )]
    Check(check::Options),
    /// Say which lane a request goes to and why, and which version of every service it reaches
    #[command(after_help = "Example:\n  lanes explain group.yaml --user jason\n  \
        lanes explain group.yaml --header 'x-user-id: jason' --path /mock --format json")]
    Explain(explain::Options),
    /// Describe a service, a lane or a user: who gets there, what happens when pods die, and which resource says so
    #[command(after_help = "Example:\n  lanes describe group.yaml cart\n  lanes describe group.yaml lane/canary\n  \
        lanes describe group.yaml user/jason --format json\n\n\
        The lines are those of `lanes render istio --output`.")]
    Describe(describe::Options),
    /// Say how users distribute over the lanes
    #[command(after_help = "Example:\n  lanes split group.yaml\n  lanes split group.yaml --users ids.txt\n  \
        lanes split group.yaml --format svg > split.svg")]
    Split(split::Options),
    /// Say who moves when one lane group is replaced by another
    #[command(
        after_help = "Example:\n  lanes diff now.yaml next.yaml\n  lanes diff now.yaml next.yaml --users ids.txt\n  \
        lanes diff now.yaml next.yaml --format svg > diff.svg\n\n\
        Exit status 1 if a user would move between two lanes of which neither is the baseline."
    )]
    Diff(diff::Options),
    /// Draw a lane group: lanes, services, who enters, and where a lane falls back
    #[command(
        after_help = "Example:\n  lanes graph group.yaml -o group.svg\n  lanes graph group.yaml --format mermaid\n  \
        lanes graph group.yaml --prometheus http://127.0.0.1:9090 -o now.svg"
    )]
    Graph(graph::Options),
    /// Add a lane to a lane group as it is written, such as a preview of a change
    #[command(
        after_help = "Example:\n  lanes add group.yaml pr-17 --from-template canary --services cart --match x-preview=pr-17\n  \
        lanes add group.yaml pr-17 --label version=pr-17 --services cart,orders --dry-run\n\n\
        Comments, order and layout stay. Refused if a user of another lane would move. The same lane again is no error."
    )]
    Add(lane::Add),
    /// Take a lane out of a lane group as it is written, with the routes that lead into it
    #[command(after_help = "Example:\n  lanes remove group.yaml pr-17 --ignore-not-found\n\n\
        Refused for the baseline, and for a lane that has a share of the requests. Comments right above what goes, go with it.")]
    Remove(lane::Remove),
    /// Say what in a cluster would break a lane group, before it is applied
    #[command(
        after_help = "Example:\n  lanes preflight group.yaml\n  lanes preflight group.yaml --print-command | sh > state.yaml\n  \
        lanes preflight group.yaml --cluster-state state.yaml --format json\n\n\
        Exit status 1 if something would break it. docs/preflight.md has a section for everything that can be found."
    )]
    Preflight(preflight::Options),
    /// Ask a running gateway, and say whether the mesh keeps its lanes
    #[command(after_help = "Example:\n  lanes verify group.yaml --gateway http://127.0.0.11:8080\n  \
        lanes verify group.yaml --gateway https://203.0.113.7 --host shop.example.com --answer header:x-served-by\n  \
        lanes verify group.yaml --gateway http://127.0.0.11:8080 --propagation --format junit > lanes.xml\n\n\
        Exit status 1 if a check failed. docs/verify.md has a section for every check. The system's certificates of \
        authorities count, or those in SSL_CERT_FILE.")]
    Verify(verify::Options),
    /// Print or write what carries a lane group out
    #[command(subcommand)]
    Render(render::Target),
    /// Make a cluster carry lane groups out, step by step, so that no request is lost
    #[command(after_help = "Example:\n  lanes apply group.yaml --image 'oci://ghcr.io/acme/{module}:1.0'\n  \
        lanes apply group.yaml --dry-run\n\n\
        What is new comes before what names it, and what goes, goes after. Broken off, the same command goes on.\n\
        With --dry-run, exit status 1 if anything differs.")]
    Apply(apply::Options),
    /// Take lane groups out of a cluster, step by step, so that no request is lost
    #[command(after_help = "Example:\n  lanes delete group.yaml\n  lanes delete --group shop --namespace default\n\n\
        What is deleted is what has the group's labels, wherever it is.")]
    Delete(delete::Options),
    /// Make a lane group of Alibaba Cloud Service Mesh's ASMSwimLaneGroup and ASMSwimLane
    #[command(
        after_help = "Example:\n  kubectl get asmswimlanegroup,asmswimlane,wasmplugin,gateways.networking.istio.io -A -o yaml \
        > asm.yaml\n  kubectl get service -A -o yaml > services.yaml\n  \
        lanes import asm.yaml services.yaml > group.yaml\n  \
        lanes import asm.yaml --port mocka=8000 --port 80 > group.yaml\n\n\
        What a lane group cannot say is listed on standard error, with what to do instead, and so is what had to be \
        assumed.\nExit status 1 if anything was not carried over."
    )]
    Import(import::Options),
    /// Push a filter to a registry, as an image that Istio and Envoy Gateway accept; print its url
    #[command(after_help = "Example:\n  lanes push dist/hash_tagging.wasm ghcr.io/acme/hash-tagging:1.0\n  \
        lanes push dist/hash_tagging.wasm ghcr.io/acme/hash-tagging:1.0 --version 1.0 --licenses Apache-2.0\n\n\
        The same module with the same options has the same digest, always. Credentials are those of `docker login`.")]
    Push(push::Options),
    /// Take the filter out of an image
    #[command(after_help = "Example:\n  lanes pull ghcr.io/acme/hash-tagging:1.0 -o hash_tagging.wasm\n  \
        lanes pull oci://ghcr.io/acme/hash-tagging@sha256:… -o - | sha256sum")]
    Pull(pull::Options),
    /// Say what an image holds, and whether Istio would accept it
    #[command(after_help = "Example:\n  lanes inspect ghcr.io/acme/hash-tagging:1.0\n  \
        lanes inspect oci://ghcr.io/acme/hash-tagging@sha256:… --format json\n\n\
        Exit status 1 if Istio would refuse it.")]
    Inspect(inspect::Options),
    /// Print the JSON Schema of a lane group, or of a filter's configuration, for editors
    Schema {
        /// What of
        #[arg(default_value = "lane-group")]
        of: SchemaOf,
    },
    /// Print the completion script of a shell
    #[command(after_help = "Example:\n  lanes completion bash > ~/.local/share/bash-completion/completions/lanes")]
    Completion {
        /// The shell
        shell: Shell,
    },
    /// Print or write the manual pages
    #[command(after_help = "Example:\n  lanes man check | man -l -\n  lanes man --output ~/.local/share/man/man1")]
    Man(man::Options),
}

/// How results are printed.
#[derive(Args, Clone, Copy)]
struct Output {
    /// For people or for programs
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
enum Format {
    /// Lines for people; in colour on a terminal
    Text,
    /// JSON for programs
    Json,
}

/// How results are printed that are a plot as well.
#[derive(Args, Clone, Copy)]
struct PlotOutput {
    /// For people or for programs, or as a picture
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: PlotFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum PlotFormat {
    /// Lines for people; in colour on a terminal
    Text,
    /// JSON for programs
    Json,
    /// A picture for documents, light and dark
    Svg,
}

/// What has a schema.
#[derive(Clone, Copy, ValueEnum)]
enum SchemaOf {
    LaneGroup,
    HashTagging,
    BaggagePropagation,
    TracePropagation,
}

impl SchemaOf {
    fn schema(self) -> Schema {
        match self {
            Self::LaneGroup => lanes::schema::schema(),
            Self::HashTagging => schema_for!(hash_tagging::config::Config),
            Self::BaggagePropagation => schema_for!(baggage_propagation::config::Config),
            Self::TracePropagation => schema_for!(trace_propagation::config::Config),
        }
    }
}

impl Cli {
    /// Carries the command out; the exit status says whether something was found.
    pub(crate) fn run(self) -> Result<ExitCode> {
        match self.command {
            Command::Check(options) => options.run(),
            Command::Explain(options) => options.run(),
            Command::Describe(options) => options.run(),
            Command::Split(options) => options.run(),
            Command::Diff(options) => options.run(),
            Command::Graph(options) => options.run(),
            Command::Add(options) => options.run(),
            Command::Remove(options) => options.run(),
            Command::Preflight(options) => options.run(),
            Command::Verify(options) => options.run(),
            Command::Render(target) => target.run(),
            Command::Apply(options) => options.run(),
            Command::Delete(options) => options.run(),
            Command::Import(options) => options.run(),
            Command::Man(options) => options.run(Self::command()),
            Command::Push(options) => options.run(),
            Command::Pull(options) => options.run(),
            Command::Inspect(options) => options.run(),
            Command::Schema { of } => print_json(&of.schema()),
            Command::Completion { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Self::command(), "lanes", &mut script);
                print(&String::from_utf8(script)?)
            }
        }
    }
}

/// The one lane group of a file that must be valid.
fn group(name: &str) -> Result<LaneGroup> {
    let file::File { mut groups, findings, .. } = file::read(name, &text(name)?);
    if let Some(finding) = findings.iter().find(|finding| finding.severity == lanes::finding::Severity::Error) {
        bail!("{finding} (`lanes check {name}` says everything that is wrong)");
    }
    match (groups.pop(), groups.is_empty()) {
        (Some(group), true) => Ok(group),
        (None, _) => bail!("{name}: there is no LaneGroup"),
        (Some(_), false) => bail!("{name}: there are several LaneGroups; give one at a time"),
    }
}
