//! HTTP: the page, and what it asks for.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::{self, JoinHandle},
};

use anyhow::{Context, Result};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderName, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use lanes::document::LaneGroup;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::{
    guard::guard,
    html,
    page::{Page, Wish},
    world::World,
};

/// Where the page is, unless somebody else is there.
pub const PORT: u16 = 8000;

/// A page that is served; dropping it ends that, and what it shows.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves the page of a lane group at `address`.
    ///
    /// # Errors
    ///
    /// The address is taken.
    pub fn start(world: impl World, group: LaneGroup, address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).with_context(|| format!("the page cannot listen on {address}"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let page = Arc::new(Page::new(Box::new(world), group)?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let listener = runtime.block_on(async { tokio::net::TcpListener::from_std(listener) })?;
        let serve = move || {
            runtime.block_on(async {
                tokio::select! {
                    // It ends with an error only, and there is nobody to tell.
                    _ = axum::serve(listener, routes(page)) => {}
                    _ = stopped => {}
                }
            });
        };
        Ok(Self { address, stop: Some(stop), thread: Some(thread::spawn(serve)) })
    }

    /// Where the page is, such as `http://127.0.0.1:8000/`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Whatever it panicked about has been printed.
            let _ = thread.join();
        }
    }
}

fn routes(page: Arc<Page>) -> Router {
    let policy = html::policy();
    let document = move || async move {
        let headers: [(HeaderName, String); 3] = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
            (header::CONTENT_SECURITY_POLICY, policy),
            (header::REFERRER_POLICY, "no-referrer".to_owned()),
        ];
        (headers, html::PAGE)
    };
    let view = |State(page): State<Arc<Page>>| async move { answer(move || page.view()).await };
    Router::new()
        .route("/", get(document))
        .route("/state", get(view))
        .route("/wish", post(wish))
        .with_state(page)
        .layer(middleware::from_fn(guard))
        .layer(middleware::map_response(unreadable_by_others))
}

async fn wish(State(page): State<Arc<Page>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Wish>(&body) {
        Ok(wish) => answer(move || page.grant(wish)).await,
        Err(error) => json_answer(StatusCode::BAD_REQUEST, &json!({"error": error.to_string()})),
    }
}

/// What is asked for may take a while: a pod starts.
async fn answer(work: impl FnOnce() -> Result<Value> + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => json_answer(StatusCode::OK, &value),
        Ok(Err(error)) => json_answer(StatusCode::UNPROCESSABLE_ENTITY, &json!({"error": format!("{error:#}")})),
        Err(error) => json_answer(StatusCode::INTERNAL_SERVER_ERROR, &json!({"error": error.to_string()})),
    }
}

fn json_answer(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

async fn unreadable_by_others(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    response
}
