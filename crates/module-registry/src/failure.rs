//! What failures mean to a user.

use anyhow::{Error, anyhow};
use reqwest::StatusCode;
use serde::Deserialize;

use crate::Reference;

/// How much of what a server says is shown.
const SHOWN: usize = 500;

/// Why a request has failed.
pub(crate) enum Failure {
    /// There is nothing.
    NotFound,
    /// The registry wants other credentials, or any.
    Unauthorized,
    /// The registry sends those with credentials to a server that must not have them.
    Realm(String),
    /// No token is given for the credentials.
    NoToken(String),
    /// The registry says why.
    Refused(String),
    /// The registry does not.
    Status(StatusCode),
    /// The answer is longer than anything that it could be.
    TooLong(u64),
    /// The answer is not as specified.
    Unexpected(&'static str),
    /// There is no answer.
    Transport(reqwest::Error),
}

/// What a registry says of errors.
#[derive(Deserialize)]
struct Envelope {
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    code: String,
    #[serde(default)]
    message: String,
}

impl Failure {
    /// An answer that is no success.
    pub(crate) fn answer(status: StatusCode, text: &str) -> Self {
        if status == StatusCode::UNAUTHORIZED {
            return Self::Unauthorized;
        }
        let reasons = match serde_json::from_str(text) {
            Ok(Envelope { errors }) if status.is_client_error() => errors,
            _ => Vec::new(),
        };
        let is_none = |reason: &Reason| matches!(&*reason.code, "MANIFEST_UNKNOWN" | "NAME_UNKNOWN" | "NOT_FOUND");
        if reasons.iter().any(is_none) || reasons.is_empty() && status == StatusCode::NOT_FOUND {
            return Self::NotFound;
        }
        let told = |Reason { code, message }: Reason| if message.is_empty() { code } else { message };
        let told: Vec<String> = reasons.into_iter().map(told).collect();
        if told.is_empty() { Self::Status(status) } else { Self::Refused(told.join("; ")) }
    }

    /// The error of a request about `reference`, with a remedy where one is known.
    pub(crate) fn explain(self, reference: &Reference) -> Error {
        let registry = reference.registry();
        match self {
            Self::NotFound => anyhow!("{reference}: there is no such image"),
            Self::Unauthorized => {
                anyhow!("{reference}: {registry} wants other credentials: `docker login {registry}`")
            }
            Self::Realm(realm) => {
                let realm = on_a_line(&realm);
                anyhow!(
                    "{reference}: {registry} wants the credentials of `docker login {registry}` to be sent to `{realm}`, which \
                     is not its own: if it should have them, and it has TLS, name its host with --token-host"
                )
            }
            Self::NoToken(reason) => {
                let reason = on_a_line(&reason);
                anyhow!(
                    "{reference}: {registry} does not accept the credentials of `docker login {registry}`: {reason}"
                )
            }
            Self::Refused(reason) => anyhow!("{reference}: {registry} refuses: {}", on_a_line(&reason)),
            Self::Status(status) => anyhow!("{reference}: {registry} answers with {}", status.as_u16()),
            Self::TooLong(limit) => {
                anyhow!("{reference}: {registry} answers with more than the {limit} bytes that it could be")
            }
            Self::Unexpected(what) => anyhow!("{reference}: {registry} answers as no registry does: {what}"),
            Self::Transport(error) => {
                Error::from(error.without_url()).context(format!("{reference}: failed to talk to {registry}"))
            }
        }
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error)
    }
}

/// What a server says, without what it could do to a terminal: that is for whoever prints it, lines are for here.
fn on_a_line(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() > SHOWN {
        line.truncate(line.floor_char_boundary(SHOWN));
        line.push('…');
    }
    line
}
