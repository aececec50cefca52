//! What a lane group may say, and what it becomes: the one that crates/lanes/README.md shows whole, in both renderings.

use std::{fs, path::Path};

use header_edit::HeaderList;
use lanes::{
    check::check,
    document::{GatewayRef, LaneGroup, Routing},
    explain::explain,
    file,
    render::envoy,
};
use serde_json::{Value, json};

use crate::{by, of_kind, resources};

/// Without its mirrored lane, which not every change of it allows.
fn everything(routing: Routing) -> LaneGroup {
    let mut group = mirroring(routing);
    group.spec.lanes.retain(|lane| lane.mirror.is_none());
    group
}

fn mirroring(routing: Routing) -> LaneGroup {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let shown = readme.split("```yaml\n").find(|block| block.contains("name: everything")).unwrap();
    let group = file::read("shown", shown.split("```").next().unwrap()).groups.remove(0);
    by(routing, group)
}

fn find<'a>(resources: &'a [Value], kind: &str, namespace: &str, name: &str) -> &'a Value {
    let is_it = |resource: &&Value| {
        let metadata = &resource["metadata"];
        resource["kind"] == kind && metadata["namespace"] == namespace && metadata["name"] == name
    };
    let names = || resources.iter().map(|r| format!("{} {}", r["kind"], r["metadata"]["name"])).collect::<Vec<_>>();
    resources.iter().find(is_it).unwrap_or_else(|| unreachable!("no {kind} {namespace}/{name} in {:#?}", names()))
}

fn rule<'a>(virtual_service: &'a Value, name: &str) -> &'a Value {
    virtual_service["spec"]["http"].as_array().unwrap().iter().find(|rule| rule["name"] == name).unwrap()
}

#[test]
fn every_port_has_its_own_rules_and_fallback() {
    let all = resources(&everything(Routing::VirtualService));
    let orders = find(&all, "VirtualService", "orders", "orders-lanes");
    let names: Vec<&Value> = orders["spec"]["http"].as_array().unwrap().iter().map(|rule| &rule["name"]).collect();
    assert_eq!(
        names,
        [
            "canary-idempotent",
            "canary",
            "baseline",
            "canary-idempotent-9090",
            "canary-9090",
            "baseline-9090",
            "other-ports"
        ]
    );
    let grpc = rule(orders, "canary-9090");
    assert_eq!(grpc["match"][0]["port"], 9090);
    assert_eq!(grpc["route"][0]["destination"]["port"], json!({"number": 9090}));
    let fallback = find(&all, "EnvoyFilter", "istio-system", "orders.orders.lanes");
    let added: Vec<&Value> = fallback["spec"]["configPatches"].as_array().unwrap().iter().skip(1).step_by(2).collect();
    let names: Vec<&Value> = added.iter().map(|patch| &patch["patch"]["value"]["name"]).collect();
    let host = "orders.orders.svc.cluster.local";
    assert_eq!(names, [&json!(format!("outbound|80|canary|{host}")), &json!(format!("outbound|9090|canary|{host}"))]);
    let speaks_http2 = |patch: &Value| patch["patch"]["value"].get("typed_extension_protocol_options").is_some();
    assert_eq!(added.iter().map(|patch| speaks_http2(patch)).collect::<Vec<_>>(), [false, true]);

    let all = resources(&everything(Routing::GatewayApi));
    for (name, port) in [("orders-lanes", 80), ("orders-lanes.9090", 9090)] {
        let route = find(&all, "HTTPRoute", "orders", name);
        assert_eq!(route["spec"]["parentRefs"][0]["port"], port);
        assert_eq!(route["spec"]["rules"][0]["backendRefs"][0]["port"], port);
    }
    let service = find(&all, "Service", "orders", "orders-canary-only");
    assert_eq!(service["spec"]["selector"], json!({"app": "orders", "lane": "canary"}));
    let ports = json!([{"name": "http-80", "port": 80}, {"name": "grpc-9090", "port": 9090, "targetPort": 50051}]);
    assert_eq!(service["spec"]["ports"], ports);
    let service = find(&all, "Service", "shop", "cart-stable");
    assert_eq!(service["spec"]["ports"], json!([{"name": "http", "port": 80, "targetPort": "http"}]));
}

#[test]
fn services_of_other_namespaces_are_reached() {
    let all = resources(&everything(Routing::VirtualService));
    assert_eq!(
        find(&all, "DestinationRule", "orders", "orders-lanes")["spec"]["exportTo"],
        json!(["batch", "istio-system", "orders", "shop"])
    );
    let ingress = find(&all, "VirtualService", "shop", "everything-ingress");
    assert_eq!(rule(ingress, "api-baseline")["route"][0]["destination"]["host"], "orders.orders.svc.cluster.local");

    let all = resources(&everything(Routing::GatewayApi));
    let grant = find(&all, "ReferenceGrant", "orders", "shop.everything.ingress");
    let from = json!([{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "shop"}]);
    assert_eq!(grant["spec"]["from"], from);
    let names: Vec<&Value> = grant["spec"]["to"].as_array().unwrap().iter().map(|to| &to["name"]).collect();
    assert_eq!(names, ["orders-stable", "orders-canary"]);
}

#[test]
fn a_mirror_in_a_namespace_of_its_own_is_allowed_too() {
    let all = resources(&everything(Routing::GatewayApi));
    let grant = find(&all, "ReferenceGrant", "audit", "shop.everything.ingress");
    assert_eq!(grant["spec"]["to"], json!([{"group": "", "kind": "Service", "name": "audit"}]));
}

/// Of every route of the gateway that copies: its name, the copy's tag, and where the copy goes.
fn copied(resources: &[Value]) -> Vec<[&str; 3]> {
    let filter = find(resources, "EnvoyFilter", "istio-system", "shop.everything.mirror");
    let patches = filter["spec"]["configPatches"].as_array().unwrap().iter();
    let texts = patches.map(|patch| {
        let policy = &patch["patch"]["value"]["route"]["request_mirror_policies"][0];
        let header = &policy["request_headers_mutations"][0]["append"]["header"];
        assert_eq!((&patch["match"]["context"], &header["key"]), (&json!("GATEWAY"), &json!("x-asm-prefer-tag")));
        assert_eq!(policy["runtime_fraction"]["default_value"], json!({"numerator": 10, "denominator": "HUNDRED"}));
        let route = &patch["match"]["routeConfiguration"]["vhost"]["route"]["name"];
        [route, &header["value"], &policy["cluster"]].map(|text| text.as_str().unwrap())
    });
    texts.collect()
}

#[test]
fn what_the_baseline_gets_at_the_gateway_is_copied_and_nothing_else() {
    let all = resources(&mirroring(Routing::VirtualService));
    let (cart, orders) =
        ("outbound|80|shadow|cart.shop.svc.cluster.local", "outbound|80|shadow|orders.orders.svc.cluster.local");
    let ingress = find(&all, "VirtualService", "shop", "everything-ingress");
    for [route, tag, cluster] in copied(&all) {
        let to = &rule(ingress, route)["route"];
        assert_eq!((to.as_array().unwrap().len(), &to[0]["destination"]["subset"]), (1, &json!("stable")), "{route}");
        assert_eq!((tag, cluster), ("shadow", if route.starts_with("api") { orders } else { cart }), "{route}");
    }
    let named =
        |resources: &[Value]| copied(resources).iter().map(|[route, ..]| (*route).to_owned()).collect::<Vec<_>>();
    let baselines = ingress["spec"]["http"].as_array().unwrap().iter().filter(|rule| {
        rule["route"].as_array().is_some_and(|to| to.iter().all(|to| to["destination"]["subset"] == "stable"))
    });
    assert_eq!(named(&all), baselines.map(|rule| rule["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>());

    let all = resources(&mirroring(Routing::GatewayApi));
    let routes = of_kind(&all, "HTTPRoute");
    for [route, tag, cluster] in copied(&all) {
        let of_route = |resource: &&&Value| {
            let name = resource["metadata"]["name"].as_str().unwrap();
            route.strip_prefix("shop.").and_then(|route| route.strip_prefix(name)).is_some_and(|rule| rule.len() == 2)
        };
        let rules = &routes.iter().find(of_route).unwrap()["spec"]["rules"];
        let service = if route.contains("orders") { "orders" } else { "cart" };
        for rule in rules.as_array().unwrap() {
            assert_eq!(rule["backendRefs"][0]["name"], format!("{service}-stable"), "{route}");
        }
        let namespace = if service == "orders" { "orders" } else { "shop" };
        assert_eq!(
            (tag, cluster),
            ("shadow", &*format!("outbound|80||{service}-shadow.{namespace}.svc.cluster.local"))
        );
    }
    assert!(!copied(&all).is_empty());
}

/// A copy that fell back would do its work twice.
#[test]
fn a_mirrored_lane_falls_back_in_neither_rendering() {
    for (routing, name) in [(Routing::VirtualService, "|shadow|"), (Routing::GatewayApi, "-shadow.")] {
        let all = resources(&mirroring(routing));
        let filters = of_kind(&all, "EnvoyFilter")
            .into_iter()
            .filter(|filter| filter["metadata"]["name"].as_str().unwrap().ends_with(".lanes"));
        let text: String = filters.map(Value::to_string).collect();
        assert!(text.contains(&name.replace("shadow", "canary")) && !text.contains(name), "{text}");
    }
}

#[test]
fn routes_keep_what_teams_have_on_them() {
    let all = resources(&everything(Routing::VirtualService));
    let ingress = find(&all, "VirtualService", "shop", "everything-ingress");
    let redirected = json!({
        "name": "to-tls", "match": [{"uri": {"exact": "/login"}}], "redirect": {"scheme": "https", "redirectCode": 308},
    });
    assert_eq!(*rule(ingress, "to-tls"), redirected);
    let api = rule(ingress, "api-canary");
    assert_eq!(api["timeout"], "5s");
    let retries =
        json!({"attempts": 3, "perTryTimeout": "1s", "retryOn": "connect-failure,503", "retryRemoteLocalities": true});
    assert_eq!(api["retries"], retries);
    let cors = json!({
        "allowOrigins": [{"exact": "https://app.example.com"}], "allowMethods": ["GET"], "allowHeaders": ["x-user-id"],
        "exposeHeaders": ["x-served-by"], "maxAge": "10m", "allowCredentials": true,
    });
    assert_eq!(api["corsPolicy"], cors);
    let headers = json!({
        "request": {"set": {"x-edge": "public"}, "remove": ["x-debug"]}, "response": {"add": {"x-served-by": "shop"}},
    });
    assert_eq!(api["headers"], headers);
    let mirror = json!([{
        "destination": {"host": "audit.audit.svc.cluster.local", "port": {"number": 80}}, "percentage": {"value": 10},
    }]);
    assert_eq!(api["mirrors"], mirror);
    assert_eq!(rule(ingress, "old-baseline")["rewrite"], json!({"uri": "/cart", "authority": "cart.example.com"}));

    let all = resources(&everything(Routing::GatewayApi));
    let route = find(&all, "HTTPRoute", "shop", "everything-ingress.retries-of-api");
    let rule = &route["spec"]["rules"][0];
    assert_eq!(rule["timeouts"], json!({"request": "5s"}));
    let filters: Vec<&Value> = rule["filters"].as_array().unwrap().iter().map(|filter| &filter["type"]).collect();
    assert_eq!(filters, ["RequestHeaderModifier", "ResponseHeaderModifier", "CORS", "RequestMirror"]);
    assert_eq!(rule["filters"][2]["cors"]["maxAge"], 600);
    let retries = find(&all, "EnvoyFilter", "istio-system", "shop.everything-ingress.retries");
    let patches = retries["spec"]["configPatches"].as_array().unwrap();
    let name = |patch: &Value| patch["match"]["routeConfiguration"]["vhost"]["route"]["name"].clone();
    let of_api = patches.iter().find(|patch| name(patch) == "shop.everything-ingress.retries-of-api.0").unwrap();
    let policy = &of_api["patch"]["value"]["route"]["retry_policy"];
    assert_eq!((&policy["num_retries"], &policy["per_try_timeout"]), (&json!(3), &json!("1s")));
    assert_eq!(
        (&policy["retry_on"], &policy["retriable_status_codes"]),
        (&json!("connect-failure,retriable-status-codes"), &json!([503]))
    );
}

#[test]
fn the_modules_have_their_resources() {
    let all = resources(&everything(Routing::VirtualService));
    let tagging = find(&all, "TrafficExtension", "istio-system", "shop.everything.hash-tagging");
    let spec = &tagging["spec"];
    assert_eq!((&spec["phase"], &spec["priority"]), (&json!("AUTHZ"), &json!(0)));
    let wasm = &spec["wasm"];
    assert_eq!(wasm["url"], "oci://ghcr.io/acme/hash-tagging:1.0");
    assert_eq!((&wasm["imagePullSecret"], &wasm["imagePullPolicy"]), (&json!("ghcr"), &json!("IfNotPresent")));
    assert_eq!(wasm["failStrategy"], "FAIL_OPEN");
    assert_eq!(wasm["pluginConfig"]["rules"][0]["match"], json!({"hosts": ["shop.example.com"]}));
}

#[test]
fn a_gateway_speaks_https_exists_or_is_not_there() {
    let mut group = everything(Routing::VirtualService);
    let servers = &find(&resources(&group), "Gateway", "shop", "everything-ingress")["spec"]["servers"].clone();
    assert_eq!(servers[0]["port"], json!({"number": 80, "name": "http-80", "protocol": "HTTP"}));
    assert_eq!(servers[1]["port"], json!({"number": 443, "name": "https-443", "protocol": "HTTPS"}));
    assert_eq!(servers[1]["tls"], json!({"mode": "SIMPLE", "credentialName": "shop-cert"}));

    group.spec.mesh.routing = Routing::GatewayApi;
    let all = resources(&group);
    let gateway = find(&all, "Gateway", "istio-system", "shop.everything.ingress");
    let listener = &gateway["spec"]["listeners"][1];
    assert_eq!((&listener["port"], &listener["hostname"]), (&json!(443), &json!("shop.example.com")));
    assert_eq!(listener["tls"]["certificateRefs"][0]["name"], "shop-cert");
    let only_own = json!({"kubernetes.io/metadata.name": "shop"});
    assert_eq!(listener["allowedRoutes"]["namespaces"]["selector"]["matchLabels"], only_own);

    for routing in [Routing::VirtualService, Routing::GatewayApi] {
        let mut existing = everything(routing);
        let gateway = existing.spec.gateway.as_mut().unwrap();
        gateway.reference = Some(GatewayRef { name: "public".to_owned(), namespace: "edge".to_owned() });
        gateway.ports.clear();
        let all = resources(&existing);
        assert!(all.iter().all(|resource| resource["kind"] != "Gateway"));
        let named = match routing {
            Routing::VirtualService => &find(&all, "VirtualService", "shop", "everything-ingress")["spec"]["gateways"],
            Routing::GatewayApi => &find(&all, "HTTPRoute", "shop", "everything-ingress")["spec"]["parentRefs"],
        };
        assert!(named.to_string().contains("edge") && named.to_string().contains("public"), "{named}");

        let mut inside = everything(routing);
        (inside.spec.gateway, inside.spec.assign, inside.spec.clients) = (None, None, None);
        inside.spec.routes.clear();
        let all = resources(&inside);
        let at_gateway = |resource: &Value| resource["metadata"]["labels"]["trafficlanes.dev/stage"] == "gateway";
        assert!(!all.is_empty() && !all.iter().any(at_gateway));
    }
}

/// Without a gateway the caller brings the tag.
#[test]
fn lanes_may_begin_inside_the_mesh() {
    let mut group = everything(Routing::VirtualService);
    (group.spec.gateway, group.spec.assign, group.spec.clients) = (None, None, None);
    group.spec.routes.clear();
    group.spec.services[1].ports.truncate(1);
    assert_eq!(check(&group).errors, []);
    let files = envoy::render(&group, &envoy::Options::default()).unwrap();
    assert!(!files.iter().any(|file| file.name.starts_with("gateway")), "{:?}", files.iter().map(|f| &f.name));
    let lane = |tag: Option<&str>| {
        let mut request = HeaderList::default();
        tag.into_iter().for_each(|tag| request.push("x-asm-prefer-tag", tag));
        explain(&group, &request).unwrap().lane
    };
    assert_eq!((lane(Some("canary")).as_deref(), lane(None).as_deref()), (Some("canary"), Some("stable")));
}

#[test]
fn another_root_namespace_and_domain_are_everywhere() {
    for routing in [Routing::VirtualService, Routing::GatewayApi] {
        let mut group = everything(routing);
        group.spec.mesh.root_namespace = "mesh".to_owned();
        group.spec.mesh.cluster_domain = "corp.internal".to_owned();
        let all = resources(&group);
        assert!(!serde_json::to_string(&all).unwrap().contains("cluster.local"));
        let filters: Vec<&Value> = all.iter().filter(|resource| resource["kind"] == "EnvoyFilter").collect();
        assert!(!filters.is_empty() && filters.iter().all(|filter| filter["metadata"]["namespace"] == "mesh"));
    }
}
