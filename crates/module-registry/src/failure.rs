//! What a client's failures mean to a user.

use anyhow::{Error, anyhow};
use oci_client::errors::{OciDistributionError, OciErrorCode};

use crate::Reference;

/// The error of a request about `reference`, with a remedy where one is known.
pub(crate) fn explain(error: OciDistributionError, reference: &Reference) -> Error {
    let registry = reference.registry();
    match &error {
        _ if is_not_found(&error) => anyhow!("{reference}: there is no such image"),
        OciDistributionError::UnauthorizedError { .. } | OciDistributionError::ServerError { code: 401, .. } => {
            anyhow!("{reference}: {registry} wants other credentials: `docker login {registry}`")
        }
        OciDistributionError::AuthenticationFailure(reason) => {
            let reason = reason.trim();
            anyhow!("{reference}: {registry} does not accept the credentials of `docker login {registry}`: {reason}")
        }
        OciDistributionError::RegistryError { envelope, .. } => {
            let reasons = envelope.errors.iter().map(|error| match error.message.as_str() {
                "" => format!("{:?}", error.code),
                message => message.to_owned(),
            });
            anyhow!("{reference}: {registry} refuses: {}", reasons.collect::<Vec<_>>().join("; "))
        }
        OciDistributionError::ServerError { code, .. } => anyhow!("{reference}: {registry} answers with {code}"),
        OciDistributionError::RequestError(_) => {
            Error::from(error).context(format!("{reference}: failed to talk to {registry}"))
        }
        _ => Error::from(error).context(reference.to_string()),
    }
}

fn is_not_found(error: &OciDistributionError) -> bool {
    match error {
        OciDistributionError::ImageManifestNotFoundError(_) | OciDistributionError::ServerError { code: 404, .. } => {
            true
        }
        OciDistributionError::RegistryError { envelope, .. } => envelope.errors.iter().any(|error| {
            matches!(error.code, OciErrorCode::ManifestUnknown | OciErrorCode::NameUnknown | OciErrorCode::NotFound)
        }),
        _ => false,
    }
}
