//! The server says no to what its definitions do not allow: otherwise that it says yes would mean nothing.

use anyhow::{Result, ensure};
use traffic_lanes_tests::cluster::Cluster;

/// A resource with one mistake, and what the server says to it.
pub(crate) struct Mistake {
    pub(crate) what: &'static str,
    api: &'static str,
    kind: &'static str,
    spec: &'static str,
    refusal: &'static str,
}

pub(crate) const MISTAKES: [Mistake; 13] = [
    Mistake {
        what: "a field that a DestinationRule does not have",
        api: "networking.istio.io/v1",
        kind: "DestinationRule",
        spec: "{host: mocka, subset: []}",
        refusal: r#"unknown field "spec.subset""#,
    },
    Mistake {
        what: "a subset without a name",
        api: "networking.istio.io/v1",
        kind: "DestinationRule",
        spec: "{host: mocka, subsets: [{labels: {lane: s2}}]}",
        refusal: "spec.subsets[0].name: Required value",
    },
    Mistake {
        what: "a share that is a text",
        api: "networking.istio.io/v1",
        kind: "DestinationRule",
        spec: "{host: mocka, trafficPolicy: {outlierDetection: {minHealthPercent: one}}}",
        refusal: "minHealthPercent in body must be of type integer",
    },
    Mistake {
        what: "a negative port",
        api: "networking.istio.io/v1",
        kind: "DestinationRule",
        spec: "{host: mocka, trafficPolicy: {portLevelSettings: [{port: {number: -1}}]}}",
        refusal: "port.number in body should be greater than or equal to 0",
    },
    Mistake {
        what: "a port by name",
        api: "networking.istio.io/v1",
        kind: "VirtualService",
        spec: "{hosts: [mocka], http: [{route: [{destination: {host: mocka, port: {number: http}}}]}]}",
        refusal: "destination.port.number in body must be of type integer",
    },
    Mistake {
        what: "a destination without a host",
        api: "networking.istio.io/v1",
        kind: "VirtualService",
        spec: "{hosts: [mocka], http: [{route: [{destination: {subset: s2}}]}]}",
        refusal: "destination.host: Required value",
    },
    Mistake {
        what: "a timeout that is no duration",
        api: "networking.istio.io/v1",
        kind: "VirtualService",
        spec: "{hosts: [mocka], http: [{timeout: soon, route: [{destination: {host: mocka}}]}]}",
        refusal: "must be a valid duration",
    },
    Mistake {
        what: "a place that an EnvoyFilter cannot patch",
        api: "networking.istio.io/v1alpha3",
        kind: "EnvoyFilter",
        spec: "{configPatches: [{applyTo: CLUSTERS, patch: {operation: ADD}}]}",
        refusal: "applyTo: Unsupported value",
    },
    Mistake {
        what: "a field that a patch does not have",
        api: "networking.istio.io/v1alpha3",
        kind: "EnvoyFilter",
        spec: "{configPatches: [{applyTo: CLUSTER, patch: {operation: ADD, values: {}}}]}",
        refusal: r#"unknown field "spec.configPatches[0].patch.values""#,
    },
    Mistake {
        what: "a phase that does not exist",
        api: "extensions.istio.io/v1alpha1",
        kind: "WasmPlugin",
        spec: "{url: oci://example.com/module, phase: AUTHX}",
        refusal: "spec.phase: Unsupported value",
    },
    Mistake {
        what: "a digest that is none",
        api: "extensions.istio.io/v1alpha1",
        kind: "WasmPlugin",
        spec: "{url: oci://example.com/module, sha256: abc}",
        refusal: "spec.sha256 in body should match",
    },
    Mistake {
        what: "a port that is too large",
        api: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        spec: "{rules: [{backendRefs: [{name: mocka-s2, port: 80000}]}]}",
        refusal: "port in body should be less than or equal to 65535",
    },
    Mistake {
        what: "a backend without a port",
        api: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        spec: "{rules: [{backendRefs: [{name: mocka-s2}]}]}",
        refusal: "Must have port for Service reference",
    },
];

/// The server refuses it, for the reason that is expected.
pub(crate) fn is_refused(cluster: &Cluster, mistake: &Mistake) -> Result<()> {
    let Mistake { api, kind, spec, .. } = mistake;
    let metadata = "{name: mistake, namespace: default}";
    let resource = format!("apiVersion: {api}\nkind: {kind}\nmetadata: {metadata}\nspec: {spec}\n");
    let apply = ["apply", "--dry-run=server", "--validate=strict", "--filename=-"];
    let output = cluster.kubectl_with(&apply, &resource)?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success(), "it is taken");
    ensure!(said.contains(mistake.refusal), "it is refused for another reason: {said}");
    Ok(())
}
