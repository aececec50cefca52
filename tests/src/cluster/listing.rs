use std::{path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use local_mesh::wait_until;
use serde_json::Value;
use ureq::Agent;

use super::{Cluster, done};
use crate::process::Process;

const LIMIT: Duration = Duration::from_secs(60);

/// Lists resources of all kinds that have namespaces and can be deleted. By way of `kubectl proxy`: to be told of so many kinds at
/// once, kubectl needs a second of a core, and every test asks often.
pub(super) struct Listing {
    _proxy: Process,
    url: String,
    agent: Agent,
    kinds: Vec<Kind>,
}

struct Kind {
    /// As in a path, such as `pods`.
    name: String,
    api_version: String,
    kind: String,
}

impl Listing {
    pub(super) fn start(cluster: &Cluster) -> Result<Self> {
        let kinds = ["api-resources", "--namespaced", "--verbs=list,create,delete", "--no-headers"];
        let kinds: Vec<Kind> = done(&cluster.kubectl(&kinds)?)?.lines().filter_map(Kind::parse).collect();
        ensure!(!kinds.is_empty(), "the API has no kinds");

        let folder = cluster.folder.path();
        let [kubectl, kubeconfig] = [cluster.kubectl.as_os_str(), &cluster.kubeconfig].map(|path| path.display());
        // Through `env`, which becomes the program that it runs: nothing stays behind.
        let arguments = [
            format!("KUBECONFIG={kubeconfig}"),
            "KUBERC=off".into(),
            kubectl.to_string(),
            "proxy".into(),
            "--port=0".into(),
        ];
        let proxy = Process::start("kubectl-proxy", Path::new("env"), &arguments, folder)?;
        let listens = wait_until("kubectl proxy listens", LIMIT, || {
            proxy.ensure_running()?;
            let log = proxy.log();
            let address = log.split_once("Starting to serve on ").and_then(|(_, rest)| rest.split_once('\n'));
            Ok(address.map(|(address, _)| format!("http://{address}")))
        });
        let url = listens.map_err(|error| proxy.explain(&error))?;
        let agent = Agent::config_builder().timeout_global(Some(LIMIT)).proxy(None).build().into();
        Ok(Self { _proxy: proxy, url, agent, kinds })
    }

    /// Every resource with such labels, wherever it is.
    pub(super) fn labelled(&self, selector: &str) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        for Kind { name, api_version, kind } in &self.kinds {
            let group = if api_version.contains('/') { "apis" } else { "api" };
            let url = format!("{}/{group}/{api_version}/{name}", self.url);
            let mut answer =
                self.agent.get(&url).query("labelSelector", selector).call().with_context(|| url.clone())?;
            let mut list: Value =
                serde_json::from_reader(answer.body_mut().as_reader()).with_context(|| url.clone())?;
            let items = list.get_mut("items").and_then(Value::as_array_mut).context(url)?;
            for item in items {
                // In a list, what all have in common is not said of each.
                let fields = item.as_object_mut().context("a resource is no object")?;
                fields.insert("apiVersion".to_owned(), api_version.as_str().into());
                fields.insert("kind".to_owned(), kind.as_str().into());
                all.push(item.take());
            }
        }
        Ok(all)
    }
}

impl Kind {
    /// A line of `kubectl api-resources`: a kind need not have short names, which come second.
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, .., api_version, _, kind] = words.as_slice() else { return None };
        let [name, api_version, kind] = [name, api_version, kind].map(|word| (*word).to_owned());
        // Endpoints are a controller's business, and to ask for them is to be warned.
        Some(Self { name, api_version, kind }).filter(|kind| kind.name != "endpoints")
    }
}
