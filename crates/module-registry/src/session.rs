//! Requests to one registry.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION},
    redirect::Policy,
};
use serde::Deserialize;

use crate::{
    credentials::Credentials,
    failure::Failure,
    realm::{Challenge, is_same_origin, may_know},
};

/// The largest manifest, as most registries have it; and anything else that is not a layer.
pub(crate) const MAX_ANSWER: u64 = 4 << 20;

/// A registry that says nothing for so long is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Nor is one that takes longer for an answer, beside what a transfer takes that is slower than any connection.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
const SLOWEST: u64 = 16 << 10;

/// The shortest time that a token is good for, by the specification, is 60 seconds.
const TOKEN: Duration = Duration::from_secs(30);

/// What is read of an error's text.
const MAX_ERROR: u64 = 64 << 10;

/// A registry, and what it has been told so far.
pub(crate) struct Session {
    client: Client,
    registry: Url,
    credentials: Option<Credentials>,
    token_hosts: Vec<String>,
    authorization: RefCell<Option<(HeaderValue, Instant)>>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Session {
    /// A session with the registry at a url. Its credentials go there, and to the hosts of [`may_know`].
    pub(crate) fn new(
        registry: Url,
        credentials: Option<Credentials>,
        token_hosts: Vec<String>,
    ) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(Policy::custom(|attempt| {
                let is_tls = |url: Option<&Url>| url.is_some_and(|url| url.scheme() == "https");
                if is_tls(attempt.previous().last()) && !is_tls(Some(attempt.url())) {
                    return attempt.error("it goes on without TLS");
                }
                Policy::default().redirect(attempt)
            }))
            .user_agent(concat!("lanes/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, registry, credentials, token_hosts, authorization: RefCell::default() })
    }

    /// Asks what the registry wants to be told for a scope, unless it was asked just now, and for a token if that is it.
    pub(crate) async fn authenticate(&self, scope: &str) -> Result<(), Failure> {
        if self.authorization.borrow().as_ref().is_some_and(|(_, at)| at.elapsed() < TOKEN) {
            return Ok(());
        }
        let answer = self.client.get(self.url("/v2/")?).timeout(ANSWER_TIMEOUT).send().await?;
        let authorization = match (Challenge::read(answer.headers()), &self.credentials) {
            (Some(Challenge::Basic), Some(Credentials { user, password })) => {
                basic(self.client.get(self.registry.clone()), user, password)?
            }
            (Some(Challenge::Bearer { realm, service }), _) => Some(self.token(&realm, service, scope).await?),
            _ => None,
        };
        *self.authorization.borrow_mut() = authorization.map(|it| (it, Instant::now()));
        Ok(())
    }

    async fn token(&self, realm: &str, service: Option<String>, scope: &str) -> Result<HeaderValue, Failure> {
        let mut url: Url = realm.parse().map_err(|_| Failure::Realm(realm.to_owned()))?;
        let (service, is_known) = (service.as_deref(), may_know(&url, &self.registry, &self.token_hosts));
        url.query_pairs_mut().append_pair("scope", scope).extend_pairs(service.map(|service| ("service", service)));
        let mut request = self.client.get(url).timeout(ANSWER_TIMEOUT);
        if let Some(Credentials { user, password }) = &self.credentials {
            if !is_known {
                return Err(Failure::Realm(realm.to_owned()));
            }
            request = request.basic_auth(user, Some(password));
        }
        let answer = request.send().await?;
        if answer.status() != StatusCode::OK {
            return Err(Failure::NoToken(text(answer).await));
        }
        let Token { token, access_token } = serde_json::from_slice(&bounded(answer, MAX_ANSWER).await?)
            .map_err(|error| Failure::NoToken(format!("no token in the answer: {error}")))?;
        let token = token.or(access_token).ok_or_else(|| Failure::NoToken("no token in the answer".to_owned()))?;
        sensitive(&format!("Bearer {token}")).ok_or_else(|| Failure::NoToken("no token that HTTP allows".to_owned()))
    }

    /// Sends a request, after `finish` has added to it; with credentials if it goes to the registry itself. `size` is that of
    /// what it transfers.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: Url,
        size: u64,
        finish: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Failure> {
        let mut request = finish(self.client.request(method, url.clone()));
        if let (Some((value, _)), true) = (&*self.authorization.borrow(), is_same_origin(&url, &self.registry)) {
            request = request.header(AUTHORIZATION, value);
        }
        let limit = ANSWER_TIMEOUT + Duration::from_secs(size / SLOWEST);
        let answer = request.timeout(limit).send().await?;
        if answer.status().is_success() { Ok(answer) } else { Err(refused(answer).await) }
    }

    /// A url of the registry's.
    pub(crate) fn url(&self, path: &str) -> Result<Url, Failure> {
        self.registry.join(path).map_err(|_| Failure::Unexpected("a name that has no url"))
    }

    /// Where an answer says to go on.
    pub(crate) fn location(&self, headers: &HeaderMap) -> Result<Url, Failure> {
        let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
        let url = location.and_then(|location| self.registry.join(location).ok());
        url.ok_or(Failure::Unexpected("it does not say where to send the blob"))
    }
}

/// The body of an answer that has no more than so many bytes.
pub(crate) async fn bounded(mut answer: Response, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await? {
        body.extend_from_slice(&part);
        if body.len() as u64 > limit {
            return Err(Failure::TooLong(limit));
        }
    }
    Ok(body)
}

/// As much of a text as anybody reads.
async fn text(mut answer: Response) -> String {
    let mut body = Vec::new();
    while let (Ok(Some(part)), true) = (answer.chunk().await, (body.len() as u64) < MAX_ERROR) {
        body.extend_from_slice(&part);
    }
    String::from_utf8_lossy(&body).into_owned()
}

async fn refused(answer: Response) -> Failure {
    let status = answer.status();
    Failure::answer(status, &text(answer).await)
}

fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn basic(request: RequestBuilder, user: &str, password: &str) -> Result<Option<HeaderValue>, Failure> {
    let request = request.basic_auth(user, Some(password)).build()?;
    Ok(request.headers().get(AUTHORIZATION).cloned())
}
