//! `xtask test` and `xtask lint`: every check and every test, one step after the other, and their sum.

mod checks;
mod session;
mod tally;
mod tiers;

use clap::Args;

use crate::{
    project::Project,
    setup::{envoy::EnvoyChoice, kubernetes::ClusterChoice},
};

use session::Session;
use tiers::Tier;

/// The arguments of `xtask test`.
#[derive(Args)]
pub(crate) struct Options {
    /// Run only the tests of this tier, and no checks; may be repeated
    #[arg(long = "tier", value_name = "TIER")]
    tiers: Vec<Tier>,
    #[command(flatten)]
    envoy: EnvoyChoice,
    #[command(flatten)]
    cluster: ClusterChoice,
}

/// Runs the checks and all tiers, or only the tiers asked for; true if everything passed. The last line printed is
/// `N passed, M failed`.
pub(crate) fn run(project: &Project, options: &Options) -> bool {
    let mut session = Session::default();
    if options.tiers.is_empty() {
        checks::run(project, &mut session);
    }
    tiers::run(project, options, &mut session);
    session.conclude()
}

/// Runs the checks only; true if everything passed.
pub(crate) fn lint(project: &Project) -> bool {
    let mut session = Session::default();
    checks::run(project, &mut session);
    session.conclude()
}
