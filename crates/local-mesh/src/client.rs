use std::{fmt, time::Duration};

use anyhow::{Context, Result, bail};
use ureq::{Agent, http};

/// Longer than any timeout of the mesh, so that it is the mesh that says what went wrong.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Somebody who asks the gateway. Cloning shares the connections.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
    url: String,
}

/// What the sample application answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body, such as `-> mocka(version: v1, ip: 127.0.1.11)-> mockb(version: v1, ip: 127.0.2.11)`.
    pub body: String,
}

/// The versions that a request went through, service by service, such as `v1,v1,v2`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Chain(pub Vec<String>);

impl Client {
    /// A client of the gateway at `url`, such as `http://127.0.0.11:8080`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self::patient(url, TIMEOUT)
    }

    /// A client of whoever is at `url`, who waits no longer than `timeout` for an answer.
    #[must_use]
    pub fn patient(url: impl Into<String>, timeout: Duration) -> Self {
        let agent =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(timeout)).proxy(None).build();
        Self { agent: agent.into(), url: url.into() }
    }

    /// Sends one request with these headers to `/mock`.
    ///
    /// # Errors
    ///
    /// There is no answer. A status that says failure is an answer.
    pub fn send(&self, method: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        self.send_to("/mock", method, headers)
    }

    /// Sends one request with these headers to `path`.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    pub fn send_to(&self, path: &str, method: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        let mut request = http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(self.agent.run(request.body(())?))
    }

    /// Posts a text to `path`.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    pub fn post(&self, path: &str, text: &str) -> Result<Answer> {
        self.answer(self.agent.post(format!("{}{path}", self.url)).send(text))
    }

    fn answer(&self, response: Result<http::Response<ureq::Body>, ureq::Error>) -> Result<Answer> {
        let mut response = response.with_context(|| format!("no answer from {}", self.url))?;
        Ok(Answer { status: response.status().as_u16(), body: response.body_mut().read_to_string()? })
    }
}

impl Answer {
    /// The chain that an answer with status 200 shows.
    ///
    /// # Errors
    ///
    /// The request failed, or the answer is not the sample application's; with the answer.
    pub fn chain(&self) -> Result<Chain> {
        let hops = self.body.split("-> ").skip(1);
        let version = |hop: &str| Some(hop.split_once("(version: ")?.1.split_once(',')?.0.to_owned());
        match hops.map(version).collect::<Option<Vec<_>>>() {
            Some(versions) if self.status == 200 && !versions.is_empty() => Ok(Chain(versions)),
            _ => bail!("{}: {}", self.status, self.body),
        }
    }

    /// The chain, or in its place the status and the body of what failed.
    #[must_use]
    pub fn outcome(&self) -> String {
        self.chain().map_or_else(|failure| failure.to_string(), |chain| chain.to_string())
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_read_from_the_published_form() {
        let body = "-> mocka(version: v1, ip: 127.0.1.11)-> mockb(version: v1, ip: 127.0.2.11)-> mockc(version: v2, ip: 127.0.3.12)";
        let answer = Answer { status: 200, body: body.into() };
        assert_eq!(answer.chain().unwrap().to_string(), "v1,v1,v2");
    }

    #[test]
    fn a_failure_is_no_chain() {
        for (status, body) in [(503, "-> mocka(version: v1, ip: 127.0.1.11)"), (200, ""), (200, "-> mocka: 503 gone")] {
            assert!(Answer { status, body: body.into() }.chain().is_err(), "{status} {body}");
        }
    }
}
