use std::future::Future;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use reqwest::Url;
use tokio::runtime::{Builder, Runtime};

use crate::{Reference, credentials, failure::Failure, session::Session};

/// An image's place at a registry.
pub struct Remote {
    pub(crate) reference: Reference,
    pub(crate) session: Session,
    pub(crate) progress: ProgressBar,
    runtime: Runtime,
}

/// How a registry is spoken to.
pub struct Access {
    /// Without TLS. A registry on this machine is spoken to without in any case.
    pub plain_http: bool,
    /// Hosts that may know the credentials for the registry, beside itself and others of its owner: over TLS, and if the
    /// registry says that tokens are given there.
    pub token_hosts: Vec<String>,
    /// What shows how far a transfer is.
    pub progress: ProgressBar,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Operation {
    Pull,
    Push,
}

impl Default for Access {
    fn default() -> Self {
        Self { plain_http: false, token_hosts: Vec::new(), progress: ProgressBar::hidden() }
    }
}

impl Remote {
    /// Gets ready to talk to the registry, with the credentials of Docker's configuration; connects later.
    ///
    /// # Errors
    /// Docker's configuration cannot be used, or this machine has no certificates of authorities.
    pub fn new(reference: Reference, access: Access) -> Result<Self> {
        let credentials = credentials::find(reference.registry())?;
        let scheme = if access.plain_http || reference.is_loopback() { "http" } else { "https" };
        let registry: Url = format!("{scheme}://{}/", reference.host())
            .parse()
            .with_context(|| format!("{reference}: the registry's name is no host's"))?;
        let session = Session::new(registry, credentials, access.token_hosts)
            .context("failed to prepare TLS: are there CA certificates?")?;
        let runtime = Builder::new_current_thread().enable_all().build().context("failed to start the client")?;
        Ok(Self { reference, session, progress: access.progress, runtime })
    }

    /// Says who is asking, if the registry wants to know.
    pub(crate) async fn authenticate(&self, operation: Operation) -> Result<(), Failure> {
        let actions = match operation {
            Operation::Pull => "pull",
            Operation::Push => "pull,push",
        };
        self.session.authenticate(&format!("repository:{}:{actions}", self.reference.repository())).await
    }

    /// A url of the repository's.
    pub(crate) fn url(&self, rest: &str) -> Result<Url, Failure> {
        self.session.url(&format!("/v2/{}/{rest}", self.reference.repository()))
    }

    /// Waits for an answer.
    pub(crate) fn wait<T>(&self, answer: impl Future<Output = Result<T, Failure>>) -> Result<T> {
        self.runtime.block_on(answer).map_err(|failure| failure.explain(&self.reference))
    }
}
