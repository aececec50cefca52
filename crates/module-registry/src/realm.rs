//! Where credentials may go.

use std::net::IpAddr;

use http_auth::{ChallengeRef, parse_challenges};
use reqwest::{
    Url,
    header::{HeaderMap, WWW_AUTHENTICATE},
};

/// What a registry wants to be told.
pub(crate) enum Challenge {
    /// User and password, with every request.
    Basic,
    /// A token, which `realm` gives for them.
    Bearer { realm: String, service: Option<String> },
}

impl Challenge {
    /// The best of those in an answer.
    pub(crate) fn read(headers: &HeaderMap) -> Option<Self> {
        let texts = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let challenges: Vec<ChallengeRef<'_>> =
            texts.filter_map(|text| parse_challenges(text).ok()).flatten().collect();
        let is = |scheme: &'static str| {
            challenges.iter().find(move |challenge| challenge.scheme.eq_ignore_ascii_case(scheme))
        };
        let bearer = is("Bearer").and_then(|challenge| {
            let parameter = |name: &str| {
                let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.to_unescaped())
            };
            Some(Self::Bearer { realm: parameter("realm")?, service: parameter("service") })
        });
        bearer.or_else(|| is("Basic").map(|_| Self::Basic))
    }
}

/// Whether two urls are the same server's, spoken to in the same way.
pub(crate) fn is_same_origin(url: &Url, other: &Url) -> bool {
    url.origin() == other.origin()
}

/// Whether the credentials for a registry may go to where it says that tokens are given: to itself; over TLS to a host of the
/// same owner, who has the same registrable domain by the public suffix list (`auth.docker.io` for `index.docker.io`,
/// `gitlab.com` for `registry.gitlab.com`), or to one that the user has named; and on this machine from one port to another.
pub(crate) fn may_know(realm: &Url, registry: &Url, named: &[String]) -> bool {
    let (Some(asking), Some(asked)) = (realm.host_str(), registry.host_str()) else { return false };
    if is_same_origin(realm, registry) {
        return true;
    }
    match realm.scheme() {
        "https" => asking == asked || named.iter().any(|host| host == asking) || have_one_owner(asking, asked),
        "http" => registry.scheme() == "http" && is_loopback(asking) && is_loopback(asked),
        _ => false,
    }
}

/// Whether a host is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn have_one_owner(host: &str, other: &str) -> bool {
    let is_address = |host: &str| host.starts_with('[') || host.parse::<IpAddr>().is_ok();
    if is_address(host) || is_address(other) {
        return false;
    }
    let domain = |host: &str| psl::domain(host.as_bytes()).map(|domain| domain.as_bytes().to_vec());
    domain(host).is_some() && domain(host) == domain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stay_with_the_registry_and_its_owner() {
        let may = |realm: &str, registry: &str| {
            may_know(&realm.parse().unwrap(), &registry.parse().unwrap(), &["auth.partner.example".to_owned()])
        };
        for (realm, registry) in [
            ("https://auth.docker.io/token", "https://index.docker.io"),
            ("https://ghcr.io/token", "https://ghcr.io"),
            ("https://gitlab.com/jwt/auth", "https://registry.gitlab.com"),
            ("https://dockerauth.cn-hangzhou.aliyuncs.com/auth", "https://registry.cn-hangzhou.aliyuncs.com"),
            ("https://api.digitalocean.com/v2/registry/auth", "https://registry.digitalocean.com"),
            ("https://registry.example.com:8443/token", "https://registry.example.com"),
            ("https://10.0.0.1:8443/token", "https://10.0.0.1"),
            ("https://registry.internal/token", "http://registry.internal:5000"),
            ("http://registry.internal:5000/token", "http://registry.internal:5000"),
            ("https://auth.partner.example/token", "https://registry.example.com"),
            ("http://127.0.0.1:5001/auth", "http://localhost:5000"),
        ] {
            assert!(may(realm, registry), "{realm} for {registry}");
        }
        for (realm, registry) in [
            ("http://auth.docker.io/token", "https://index.docker.io"),
            ("http://registry.example.com/token", "https://registry.example.com"),
            ("http://registry.internal:5001/token", "http://registry.internal:5000"),
            ("https://docker.io.evil.example/token", "https://index.docker.io"),
            ("https://evil.com/token", "https://registry.example.com"),
            ("https://evil.co.uk/token", "https://registry.co.uk"),
            ("https://evil.github.io/token", "https://acme.github.io"),
            ("https://10.0.0.2/token", "https://10.0.0.1"),
            ("https://20.0.0.1/token", "https://10.0.0.1"),
            ("https://evil/token", "https://registry"),
            ("http://auth.partner.example/token", "https://registry.example.com"),
            ("http://127.0.0.1:1/token", "https://registry.example.com"),
            ("http://127.0.0.1:1/token", "http://registry.internal:5000"),
            ("http://127.0.0.1:1/token", "https://127.0.0.1:2"),
            ("file:///etc/passwd", "https://registry.example.com"),
        ] {
            assert!(!may(realm, registry), "{realm} for {registry}");
        }
    }

    #[test]
    fn a_token_is_preferred_to_a_password() {
        let read = |texts: &[&'static str]| {
            let header = |text: &&'static str| (WWW_AUTHENTICATE, text.parse().unwrap());
            Challenge::read(&texts.iter().map(header).collect())
        };
        let bearer = r#"bearer realm="https://a/\"t",service="s""#;
        for texts in [
            &[bearer][..],
            &["Basic realm=\"x\"", bearer],
            &["Basic realm=\"x\", Bearer realm=\"https://a/\\\"t\",service=\"s\""],
        ] {
            let Some(Challenge::Bearer { realm, service }) = read(texts) else { panic!("{texts:?}") };
            assert_eq!((realm.as_str(), service.as_deref()), ("https://a/\"t", Some("s")));
        }
        assert!(matches!(read(&["Basic realm=\"x\""]), Some(Challenge::Basic)));
        assert!(read(&["Bearer service=\"x\""]).is_none());
        assert!(read(&["Negotiate", "\"\""]).is_none());
    }
}
