use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use local_mesh::wait_until;
use serde_json::{Value, json};

use super::{Cluster, OF_LANES, control_plane::NODE, done};

const LIMIT: Duration = Duration::from_secs(120);
const IMAGE: &str = "registry.k8s.io/pause:3.10";

/// A namespace of one test; deleted when dropped, with what `lanes` has made for it elsewhere.
pub struct Namespace<'cluster> {
    cluster: &'cluster Cluster,
    name: String,
}

impl Cluster {
    /// A new namespace, whose name nobody else has.
    ///
    /// # Errors
    ///
    /// kubectl fails, as for all that follow.
    pub fn namespace(&self) -> Result<Namespace<'_>> {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "lanes-test-"}});
        let create = ["create", "--output=jsonpath={.metadata.name}", "--filename=-"];
        let name = done(&self.kubectl_with(&create, &namespace.to_string())?)?;
        Ok(Namespace { cluster: self, name })
    }

    /// Whether no kubelet runs, so that the tests say how pods are.
    pub fn has_no_kubelet(&self) -> bool {
        self.control_plane.is_some()
    }
}

impl Namespace<'_> {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Every resource, of any kind and anywhere, that `lanes` has made for groups of this namespace.
    pub fn of_lanes(&self) -> Result<Vec<Value>> {
        let selector = format!("{OF_LANES},trafficlanes.dev/group-namespace={}", self.name);
        let mut items = self.cluster.listing.as_ref().context("the cluster has not started")?.labelled(&selector)?;
        // What a controller makes of a Service has its labels too, and goes with it.
        items.retain(|item| item.pointer("/metadata/ownerReferences").is_none());
        Ok(items)
    }

    /// A Service, which selects pods by the label `app`; its ports have names, such as `http`.
    pub fn service(&self, name: &str, ports: &[(&str, u16)]) -> Result<()> {
        let ports: Vec<Value> = ports.iter().map(|(name, port)| json!({"name": name, "port": port})).collect();
        let service = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": self.name},
            "spec": {"selector": {"app": name}, "ports": ports},
        });
        self.cluster.apply(&service.to_string()).map(drop)
    }

    /// A pod of a Service, with the labels of a lane; it is ready, or it never is. Returns when the Service's endpoints say so.
    pub fn pod(&self, service: &str, name: &str, labels: &[(&str, &str)], ready: bool) -> Result<()> {
        let labels: serde_json::Map<_, _> =
            [("app", service)].iter().chain(labels).map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        let mut container = json!({"name": "application", "image": IMAGE});
        if let (false, Some(container)) = (ready, container.as_object_mut()) {
            container.insert("readinessProbe".to_owned(), json!({"tcpSocket": {"port": 1}}));
        }
        let mut spec = json!({"containers": [container], "terminationGracePeriodSeconds": 0});
        if let (true, Some(spec)) = (self.cluster.has_no_kubelet(), spec.as_object_mut()) {
            spec.insert("nodeName".to_owned(), json!(NODE));
        }
        let metadata = json!({"name": name, "namespace": self.name, "labels": labels});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
        self.cluster.apply(&pod.to_string())?;
        if self.cluster.has_no_kubelet() {
            self.report(name, ready)?;
        }
        self.wait_for_endpoint(service, name, ready)
    }

    /// Makes a pod of a Service ready or unready, where no kubelet knows better. Returns when the Service's endpoints say so.
    pub fn set_ready(&self, service: &str, pod: &str, ready: bool) -> Result<()> {
        ensure!(self.cluster.has_no_kubelet(), "the cluster's kubelet says which pods are ready");
        self.report(pod, ready)?;
        self.wait_for_endpoint(service, pod, ready)
    }

    /// What a kubelet would report of a pod that runs.
    fn report(&self, pod: &str, ready: bool) -> Result<()> {
        static PODS: AtomicU32 = AtomicU32::new(1);
        let name = self.name.as_str();
        let status = self.cluster.get(&["pod", pod, "--namespace", name])?;
        let known = status.pointer("/status/podIP").and_then(Value::as_str).map(str::to_owned);
        let ip = known.unwrap_or_else(|| {
            let [_, _, high, low] = PODS.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            format!("10.244.{high}.{low}")
        });
        let is = if ready { "True" } else { "False" };
        let conditions = [("PodScheduled", "True"), ("Initialized", "True"), ("ContainersReady", is), ("Ready", is)];
        let conditions = conditions.map(|(kind, status)| json!({"type": kind, "status": status}));
        let container = json!({
            "name": "application", "image": IMAGE, "imageID": IMAGE, "ready": ready, "started": true,
            "restartCount": 0, "state": {"running": {}},
        });
        let status = json!({
            "phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}],
            "conditions": conditions, "containerStatuses": [container],
        });
        let patch = json!({"status": status}).to_string();
        let arguments =
            ["patch", "pod", pod, "--namespace", name, "--subresource=status", "--type=merge", "--patch", &patch];
        done(&self.cluster.kubectl(&arguments)?).map(drop)
    }

    fn wait_for_endpoint(&self, service: &str, pod: &str, ready: bool) -> Result<()> {
        let what = format!("the endpoints of {service} have {pod}, {}", if ready { "ready" } else { "unready" });
        let selector = format!("kubernetes.io/service-name={service}");
        wait_until(&what, LIMIT, || {
            let slices = self.cluster.get(&["endpointslices", "--namespace", &self.name, "--selector", &selector])?;
            let slices = slices.get("items").and_then(Value::as_array).into_iter().flatten();
            let mut endpoints = slices.filter_map(|slice| slice.get("endpoints")?.as_array()).flatten();
            let is_it = |endpoint: &Value| {
                endpoint.pointer("/targetRef/name").is_some_and(|name| name == pod)
                    && endpoint.pointer("/conditions/ready").is_some_and(|is| *is == Value::Bool(ready))
            };
            Ok(endpoints.any(is_it).then_some(()))
        })
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        // What cannot be deleted has a name that nobody else has.
        if !self.cluster.has_no_kubelet() {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": self.of_lanes().unwrap_or_default()});
            let delete = ["delete", "--ignore-not-found", "--wait=false", "--filename=-"];
            let _ = self.cluster.kubectl_with(&delete, &list.to_string());
        }
        let _ = self.cluster.kubectl(&["delete", "namespace", &self.name, "--wait=false"]);
    }
}
