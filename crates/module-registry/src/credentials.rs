//! Who somebody is at a registry, from Docker's configuration: what `docker login` and cloud providers' helpers leave there.

use std::{
    env,
    fs::File,
    io::{BufReader, ErrorKind},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};

/// Who somebody is.
#[derive(Clone, Eq, PartialEq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// The credentials for `registry`; none if none are configured.
///
/// # Errors
/// The configuration cannot be read, a helper fails, or what it has is a kind of token that is not supported.
pub(crate) fn find(registry: &str) -> Result<Option<Credentials>> {
    match config_file() {
        Some(path) => find_in(&path, registry).with_context(|| format!("{}: {registry}", path.display())),
        None => Ok(None),
    }
}

/// Where the command line of Docker looks.
fn config_file() -> Option<PathBuf> {
    let set = |variable| env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("DOCKER_CONFIG").or_else(|| Some(set("HOME")?.join(".docker")))?;
    Some(folder.join("config.json"))
}

fn find_in(path: &Path, registry: &str) -> Result<Option<Credentials>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    match get_credential_from_reader(BufReader::new(file), server(registry)) {
        Ok(DockerCredential::UsernamePassword(user, password)) => Ok(Some(Credentials { user, password })),
        Ok(DockerCredential::IdentityToken(_)) => {
            bail!("an identity token is configured, which is not supported: log in with a user and a password or token")
        }
        Err(error) if is_none(&error) => Ok(None),
        Err(CredentialRetrievalError::ConfigReadError) => bail!("not the JSON that Docker writes"),
        Err(error) => Err(error.into()),
    }
}

/// The key under which Docker keeps the credentials of a registry.
fn server(registry: &str) -> &str {
    match registry {
        "docker.io" | "index.docker.io" => "https://index.docker.io/v1/",
        other => other,
    }
}

/// A helper that has nothing says so in these words, by the protocol of docker-credential-helpers.
fn is_none(error: &CredentialRetrievalError) -> bool {
    match error {
        CredentialRetrievalError::NoCredentialConfigured => true,
        CredentialRetrievalError::HelperFailure { stdout, .. } => stdout.contains("credentials not found"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn found(config: &str, registry: &str) -> Result<Option<Credentials>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, config).unwrap();
        find_in(&path, registry).map_err(|error| format!("{error:#}"))
    }

    fn basic(user: &str, password: &str) -> Result<Option<Credentials>, String> {
        Ok(Some(Credentials { user: user.to_owned(), password: password.to_owned() }))
    }

    /// `jessie:canary` and `jack:canary`, in Base64.
    const CONFIG: &str = r#"{"auths": {
        "registry.example:5000": {"auth": "amVzc2llOmNhbmFyeQ=="},
        "https://index.docker.io/v1/": {"auth": "amFjazpjYW5hcnk="},
        "token.example": {"identitytoken": "t"}
    }}"#;

    #[test]
    fn credentials_are_those_of_the_registry() {
        assert_eq!(found(CONFIG, "registry.example:5000"), basic("jessie", "canary"));
        assert_eq!(found(CONFIG, "docker.io"), basic("jack", "canary"));
        assert_eq!(found(CONFIG, "other.example"), Ok(None));
        assert_eq!(found("{}", "other.example"), Ok(None));
    }

    #[test]
    fn without_a_configuration_it_is_nobody() {
        assert_eq!(find_in(Path::new("/nowhere/config.json"), "a").unwrap(), None);
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        assert_eq!(found("[", "a"), Err("not the JSON that Docker writes".to_owned()));
        assert!(found(CONFIG, "token.example").unwrap_err().starts_with("an identity token is configured"));
        let helper = r#"{"credHelpers": {"a": "there-is-no-such-helper"}}"#;
        assert_eq!(found(helper, "a"), Err("Unable to communicate with credential helper".to_owned()));
    }
}
