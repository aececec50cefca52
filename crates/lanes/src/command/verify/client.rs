//! Sends requests to a gateway.

use std::{net::ToSocketAddrs, time::Duration};

use anyhow::{Context, Result};
use header_edit::{HeaderList, RequestHeaders};
use lanes::{
    document::Spec,
    verify::{Answer, Hop, Probe, RequestIds, Source, request_id},
};
use reqwest::{Method, Url, redirect::Policy};
use tokio::time::Instant;

/// The most that is read of an answer's body.
const MOST: usize = 1 << 20;

pub(super) struct Client {
    client: reqwest::Client,
    /// With the host that is asked for in place of the gateway's.
    url: Url,
    host: Option<String>,
}

impl Client {
    /// A client of a gateway; the certificate is to be of `host`. Asks the gateway itself, whatever proxy the environment names.
    pub(super) fn new(gateway: &Url, host: Option<&str>, timeout: Duration) -> Result<Self> {
        let mut builder = reqwest::Client::builder().no_proxy().redirect(Policy::none()).timeout(timeout);
        let mut url = gateway.clone();
        if let Some(host) = host {
            let own = gateway.host_str().with_context(|| format!("--gateway {gateway}: expected a host"))?;
            let port = gateway.port_or_known_default().unwrap_or_default();
            let own = own.trim_matches(['[', ']']);
            let found = (own, port).to_socket_addrs().with_context(|| format!("failed to look up {own}"))?;
            builder = builder.resolve_to_addrs(host, &found.collect::<Vec<_>>());
            url.set_host(Some(host)).with_context(|| format!("--host {host}: expected a name"))?;
        }
        let client = builder.build().context("failed to prepare TLS: are there CA certificates?")?;
        Ok(Self { client, url, host: host.map(str::to_owned) })
    }

    /// Sends a request once. That there is no answer is one.
    pub(super) async fn send(
        &self,
        probe: &Probe,
        ids: Option<&RequestIds>,
        spec: &Spec,
        sources: &[Source],
    ) -> Answer {
        let request = with_id(&probe.request, ids);
        let (begin, id) = (Instant::now(), request_id(spec, &request));
        let (status, headers, body) = match self.call(&request).await {
            Ok(read) => read,
            Err(error) => {
                return Answer { error: Some(format!("{error:#}")), took: begin.elapsed(), ..Answer::default() };
            }
        };
        let took = begin.elapsed();
        let header = |name: &str| {
            let lines = headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
            Some(lines.collect::<Vec<_>>().join(",")).filter(|value| !value.is_empty())
        };
        let hops = sources.iter().flat_map(|source| source.read(spec, &probe.first, header, &body));
        let mut hops: Vec<Hop> = hops.collect();
        let place = |hop: &Hop| spec.services.iter().position(|service| spec.reference(service) == hop.service);
        if sources.len() > 1 {
            hops.sort_by_key(place);
        }
        let cookies = headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok()?.split_once('='));
        let cookies = cookies.map(|(name, _)| name.to_owned()).collect();
        Answer { status: Some(status), error: None, hops, took, cookies, id }
    }

    async fn call(&self, asked: &HeaderList) -> Result<(u16, reqwest::header::HeaderMap, String)> {
        let text = |name: &str| {
            asked.first(name).map(|value| String::from_utf8_lossy(&value).into_owned()).unwrap_or_default()
        };
        let url = self.url.join(&text(":path"))?;
        let mut request = self.client.request(Method::from_bytes(text(":method").as_bytes())?, url);
        for (name, value) in asked.lines().filter(|(name, _)| !name.starts_with(':')) {
            request = request.header(name, value);
        }
        // Without the gateway's port, which is often another inside and outside.
        if let Some(host) = &self.host {
            request = request.header("host", host);
        }
        let mut response = request.send().await.map_err(reqwest::Error::without_url)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(reqwest::Error::without_url)? {
            body.extend_from_slice(&part);
            if body.len() > MOST {
                break;
            }
        }
        Ok((status, headers, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// The request with an id of its own, unless it has one.
fn with_id(request: &HeaderList, ids: Option<&RequestIds>) -> HeaderList {
    let came = ids.and_then(|ids| request.first(ids.header()));
    let came = came.map(|value| String::from_utf8_lossy(&value).into_owned());
    let Some((ids, value)) = ids.and_then(|ids| Some((ids, ids.next(came.as_deref())?))) else {
        return request.clone();
    };
    let others = request.lines().filter(|(name, _)| *name != ids.header());
    others.chain([(ids.header(), value.as_bytes())]).collect()
}
