//! An application that can be killed and started again where nobody else could do it, as in a container.

use std::{
    env, io,
    net::SocketAddr,
    process::{Child, Command},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context;
use axum::{Router, extract::State, http::StatusCode, routing::get};
use tokio::net::TcpListener;

use crate::condition::Condition;

const KILLED: &str = "killed";
const WANTED: &str = "expected healthy, slow, broken or killed\n";

/// Runs the program that the arguments name, else this one, and does with it what is asked for at `address`: `GET /` says how it
/// is, and `POST /` has it killed, or started anew as the body says.
///
/// The address is one of its own, so that a client of the service cannot do so.
pub(crate) async fn run(address: SocketAddr, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("CONTROL {address}"))?;
    println!("controlled on {}", listener.local_addr()?);
    let application = Arc::new(Mutex::new(Application::start()?));
    let app = Router::new().route("/", get(condition).post(bring)).with_state(application.clone());
    tokio::select! {
        served = axum::serve(listener, app) => served?,
        () = stop => {}
    }
    lock(&application).kill();
    Ok(())
}

struct Application {
    child: Option<Child>,
    condition: String,
}

type Shared = State<Arc<Mutex<Application>>>;

async fn condition(State(application): Shared) -> String {
    lock(&application).condition.clone()
}

async fn bring(State(application): Shared, condition: String) -> (StatusCode, String) {
    match lock(&application).bring(&condition) {
        Ok(true) => (StatusCode::OK, condition),
        Ok(false) => (StatusCode::BAD_REQUEST, WANTED.to_owned()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

fn lock(application: &Mutex<Application>) -> std::sync::MutexGuard<'_, Application> {
    application.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Application {
    fn start() -> io::Result<Self> {
        let condition = "healthy".to_owned();
        Ok(Self { child: Some(spawn(&condition)?), condition })
    }

    /// Whether that can be.
    fn bring(&mut self, condition: &str) -> io::Result<bool> {
        if condition != KILLED && Condition::parse(condition).is_none() {
            return Ok(false);
        }
        self.kill();
        if condition != KILLED {
            self.child = Some(spawn(condition)?);
        }
        condition.clone_into(&mut self.condition);
        Ok(true)
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // The only error is that it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
        KILLED.clone_into(&mut self.condition);
    }
}

fn spawn(condition: &str) -> io::Result<Child> {
    let mut arguments = env::args_os().skip(1);
    let program = arguments.next().map_or_else(|| env::current_exe().map(Into::into), Ok)?;
    Command::new(program).args(arguments).env_remove("CONTROL").env("CONDITION", condition).spawn()
}
