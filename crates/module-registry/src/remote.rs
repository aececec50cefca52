use std::{future::Future, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use oci_client::{
    Client, RegistryOperation,
    client::{ClientConfig, ClientProtocol},
    errors::OciDistributionError,
    secrets::RegistryAuth,
};
use tokio::runtime::{Builder, Runtime};

use crate::{Progress, Reference, credentials, failure::explain};

/// A registry that says nothing for so long is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// An image's place at a registry.
pub struct Remote {
    pub(crate) reference: Reference,
    pub(crate) client: Client,
    pub(crate) auth: RegistryAuth,
    pub(crate) progress: Arc<dyn Progress>,
    runtime: Runtime,
}

/// How a registry is spoken to.
pub struct Access {
    /// Without TLS. A registry on this machine is spoken to without in any case.
    pub plain_http: bool,
    /// Who is told how far a transfer is.
    pub progress: Arc<dyn Progress>,
}

impl Default for Access {
    fn default() -> Self {
        Self { plain_http: false, progress: Arc::new(()) }
    }
}

impl Remote {
    /// Gets ready to talk to the registry, with the credentials of Docker's configuration; connects later.
    ///
    /// # Errors
    /// Docker's configuration cannot be used, or this machine has no certificates of authorities.
    pub fn new(reference: Reference, access: Access) -> Result<Self> {
        let auth = credentials::find(reference.registry())?;
        let registry = reference.inner().resolve_registry().to_owned();
        let is_plain = access.plain_http || reference.is_loopback();
        let config = ClientConfig {
            protocol: if is_plain { ClientProtocol::HttpsExcept(vec![registry]) } else { ClientProtocol::Https },
            // One request for a blob, which every registry understands; some have their own idea of chunks.
            use_monolithic_push: true,
            connect_timeout: Some(CONNECT_TIMEOUT),
            read_timeout: Some(READ_TIMEOUT),
            user_agent: concat!("lanes/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).context("failed to prepare TLS: are there CA certificates?")?;
        let runtime = Builder::new_current_thread().enable_all().build().context("failed to start the client")?;
        Ok(Self { reference, client, auth, progress: access.progress, runtime })
    }

    /// Asks for a token, if the registry wants one. The client would do so by itself, but not say why it gets none.
    pub(crate) fn authenticate(&self, operation: RegistryOperation) -> Result<()> {
        self.wait(self.client.auth(self.reference.inner(), &self.auth, operation)).map(drop)
    }

    /// Waits for the client's answer.
    pub(crate) fn wait<T>(&self, answer: impl Future<Output = Result<T, OciDistributionError>>) -> Result<T> {
        self.runtime.block_on(answer).map_err(|error| explain(error, &self.reference))
    }
}
