//! What the commands that talk to a registry have in common.

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use module_registry::{Access, Reference, Remote};

#[derive(Args)]
pub(crate) struct Registry {
    /// Talk to the registry without TLS; to one on this machine, that is so in any case
    #[arg(long)]
    plain_http: bool,
    /// A host that may know the registry's credentials, if the registry says that it gives tokens; may be repeated. Without,
    /// they go to the registry itself and, over TLS, to hosts of the same domain
    #[arg(long = "token-host", value_name = "HOST")]
    token_hosts: Vec<String>,
}

impl Registry {
    /// Does something with an image's place, and shows on a terminal how far that is.
    pub(super) fn with<T>(&self, reference: Reference, action: impl FnOnce(&Remote) -> Result<T>) -> Result<T> {
        let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left")?;
        let bar = ProgressBar::new(0).with_style(style);
        let (token_hosts, progress) = (self.token_hosts.clone(), bar.clone());
        let access = Access { plain_http: self.plain_http, token_hosts, progress };
        let result = action(&Remote::new(reference, access)?);
        bar.finish_and_clear();
        result
    }
}
