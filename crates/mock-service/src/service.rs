use std::{future::Future, net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State, connect_info::Connected},
    http::{HeaderMap, Method, StatusCode},
    routing::get,
    serve::IncomingStream,
};
use reqwest::{Client, Response, Url, redirect::Policy};
use tokio::net::TcpListener;

use crate::{
    condition::Condition,
    config::Config,
    echo::{self, ECHO_HEADERS},
};

/// Longer than Envoy's default route timeout of 15 s, so that the sidecar is the one to say what went wrong.
const UPSTREAM_TIMEOUT: Duration = Duration::from_secs(20);
/// A second and a half: seen by anybody, and within every timeout.
const SLOW: Duration = Duration::from_millis(1500);

/// Answers on `listener` until `stop` completes, then finishes what is in flight.
///
/// `GET /healthz` is 200 without a call to the upstream. Everything else, any path and method, is the chain.
pub(crate) async fn run(
    listener: TcpListener,
    config: Config,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let client = Client::builder().redirect(Policy::none()).timeout(UPSTREAM_TIMEOUT).build()?;
    let app = Router::new()
        .route("/healthz", get(|| async { "ok" }).fallback(answer))
        .fallback(answer)
        .with_state(Arc::new(Service { config, client }))
        .into_make_service_with_connect_info::<LocalIp>();
    axum::serve(listener, app).with_graceful_shutdown(stop).await?;
    Ok(())
}

struct Service {
    config: Config,
    client: Client,
}

/// The address that a connection came in on: the pod's own, also where LISTEN is 0.0.0.0.
#[derive(Clone, Copy)]
struct LocalIp(Option<IpAddr>);

impl Connected<IncomingStream<'_, TcpListener>> for LocalIp {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        let address = stream.io().local_addr().ok();
        Self(address.map(|address| address.ip().to_canonical()))
    }
}

async fn answer(
    State(service): State<Arc<Service>>,
    ConnectInfo(LocalIp(ip)): ConnectInfo<LocalIp>,
    request: Request,
) -> (StatusCode, String) {
    let Config { name, version, upstream, condition, .. } = &service.config;
    let ip = ip.map_or_else(|| "unknown".to_owned(), |ip| ip.to_string());
    let own = format!("-> {name}(version: {version}, ip: {ip})");

    match condition {
        Condition::Healthy => {}
        Condition::Slow => tokio::time::sleep(SLOW).await,
        Condition::Broken => return (StatusCode::INTERNAL_SERVER_ERROR, format!("{own} is broken")),
        Condition::Unavailable => return (StatusCode::SERVICE_UNAVAILABLE, format!("{own} is unavailable")),
    }
    if request.headers().contains_key(ECHO_HEADERS) {
        let own = echo::hop(name, version, &ip, request.headers());
        let called = match upstream {
            Some(url) => Some((url, service.call(url, request.method(), request.headers()).await)),
            None => None,
        };
        return echo::answer(own, called);
    }
    let Some(url) = upstream else {
        return (StatusCode::OK, own);
    };
    match service.call(url, request.method(), request.headers()).await {
        Ok((status, body)) if status.is_success() => (StatusCode::OK, own + &body),
        Ok((status, body)) => (status, format!("{own}-> {url}: {} {body}", status.as_u16())),
        Err(error) => {
            let status = StatusCode::BAD_GATEWAY;
            let error = anyhow::Error::from(error.without_url());
            (status, format!("{own}-> {url}: {} {error:#}", status.as_u16()))
        }
    }
}

impl Service {
    async fn call(&self, url: &Url, method: &Method, incoming: &HeaderMap) -> reqwest::Result<(StatusCode, String)> {
        let mut headers = HeaderMap::new();
        let forward = self.config.forward.iter();
        for name in forward.chain(incoming.contains_key(ECHO_HEADERS).then_some(&ECHO_HEADERS)) {
            for value in incoming.get_all(name) {
                headers.append(name, value.clone());
            }
        }
        let request = self.client.request(method.clone(), url.clone());
        let response: Response = request.headers(headers).send().await?;
        Ok((response.status(), response.text().await?))
    }
}
