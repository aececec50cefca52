//! Registries that want more than they should get, and give more than they should.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    os::unix::fs::symlink,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use module_image::Digest;
use serde_json::json;
use traffic_lanes_tests::{
    built,
    hostile_registry::{Answer, HostileRegistry},
};

use crate::failed;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// This machine as well, but it does not look like it.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
/// `jessie:canary`, in Base64.
const BASIC: &str = "Basic amVzc2llOmNhbmFyeQ==";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const MODULE_LAYER: &str = "application/vnd.module.wasm.content.layer.v1+wasm";

/// `lanes` with credentials for a registry, a gigabyte of memory, and not for ever.
fn lanes(registry: &HostileRegistry, arguments: &[&str]) -> Output {
    let config = tempfile::tempdir().unwrap();
    let auths = json!({"auths": {registry.address.to_string(): {"username": "jessie", "password": "canary"}}});
    fs::write(config.path().join("config.json"), auths.to_string()).unwrap();
    let mut shell = Command::new("timeout");
    shell.args(["60", "sh", "-c", "ulimit -v 1000000; exec \"$@\"", "sh"]).arg(built("lanes").unwrap()).args(arguments);
    for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        shell.env_remove(proxy);
    }
    shell.env("DOCKER_CONFIG", config.path()).stdin(Stdio::null()).output().unwrap()
}

fn inspect(registry: &HostileRegistry) -> Output {
    lanes(registry, &["inspect", &format!("{}/filter:1", registry.address)])
}

fn unauthorized(realm: &str) -> Answer {
    let challenge = format!("www-authenticate: Bearer realm=\"{realm}\",service=\"s\"");
    Answer::new("401 Unauthorized", "").with(&challenge)
}

/// A registry that gives one image of a module whose layer is answered for by `layer`.
fn with_layer(size: u64, digest: &str, layer: impl Fn() -> Answer + Send + Sync + 'static) -> HostileRegistry {
    let blob =
        |media_type: &str, size: u64, digest: &str| json!({"mediaType": media_type, "size": size, "digest": digest});
    let config = blob("application/vnd.module.wasm.config.v1+json", 2, &Digest::of(b"{}").to_string());
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config,
        "layers": [config, blob(MODULE_LAYER, size, digest)]})
    .to_string();
    let digest = digest.to_owned();
    HostileRegistry::start(HERE, move |path| match path {
        "/v2/" => Answer::new("200 OK", "{}"),
        path if path.ends_with("/manifests/1") => {
            Answer::new("200 OK", manifest.clone()).with(&format!("content-type: {MANIFEST}"))
        }
        path if path.ends_with(&digest) => layer(),
        _ => Answer::new("404 Not Found", ""),
    })
    .unwrap()
}

#[test]
fn credentials_go_to_no_other_server() {
    let thief = HostileRegistry::start(ELSEWHERE, |_| Answer::new("200 OK", r#"{"token": "t"}"#)).unwrap();
    for realm in [format!("http://0.0.0.0:{}/token", thief.address.port()), "https://thief.example/token".to_owned()] {
        let asks = realm.clone();
        let registry = HostileRegistry::start(HERE, move |_| unauthorized(&asks)).unwrap();
        let said = failed(&inspect(&registry));
        assert!(said.contains(&format!("to be sent to `{realm}`, which is not its own")), "{said}");
        assert!(said.contains("--token-host"), "{said}");
        assert!(thief.asked().is_empty(), "{:?}", thief.asked());
        assert!(registry.asked().iter().all(|asked| asked.authorization.is_empty()), "{:?}", registry.asked());

        // Without TLS it makes no difference that the host is named.
        let reference = format!("{}/filter:1", registry.address);
        lanes(&registry, &["inspect", &reference, "--token-host", "0.0.0.0"]);
        assert!(thief.asked().is_empty(), "{:?}", thief.asked());
    }
}

/// The first answer is as it should be; those after it are not.
#[test]
fn a_registry_that_changes_its_mind_gets_no_more() {
    let thief = HostileRegistry::start(ELSEWHERE, |_| Answer::new("200 OK", r#"{"token": "t"}"#)).unwrap();
    let (realm, count) =
        (format!("http://0.0.0.0:{}/token", thief.address.port()), std::sync::atomic::AtomicUsize::new(0));
    let registry = HostileRegistry::start(HERE, move |path| match path {
        "/v2/" if count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 => {
            Answer::new("401 Unauthorized", "").with("www-authenticate: Basic realm=\"r\"")
        }
        "/v2/" => unauthorized(&realm),
        _ => Answer::new("404 Not Found", ""),
    })
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("m.wasm");
    fs::write(&module, b"\0asm\x01\0\0\0").unwrap();
    failed(&lanes(&registry, &["push", module.to_str().unwrap(), &format!("{}/filter:1", registry.address)]));
    assert!(thief.asked().is_empty(), "{:?}", thief.asked());
    let asked = registry.asked();
    assert!(asked.iter().any(|asked| asked.authorization == BASIC), "the registry itself knows them: {asked:?}");
}

#[test]
fn what_is_elsewhere_is_fetched_by_nobody_in_particular() {
    let module = b"\0asm\x01\0\0\0";
    let store = HostileRegistry::start(ELSEWHERE, move |_| Answer::new("200 OK", module)).unwrap();
    let blob = format!("location: http://0.0.0.0:{}/blob", store.address.port());
    let registry =
        with_layer(8, &Digest::of(module).to_string(), move || Answer::new("307 Temporary Redirect", "").with(&blob));
    let output = inspect(&registry);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(store.asked().len() == 1 && store.asked()[0].authorization.is_empty(), "{:?}", store.asked());
}

#[test]
fn a_module_is_written_through_no_link_and_to_no_device() {
    let module = b"\0asm\x01\0\0\0";
    let registry = with_layer(8, &Digest::of(module).to_string(), move || Answer::new("200 OK", module));
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("target"), "before").unwrap();
    symlink(path("target"), path("link")).unwrap();
    symlink(path("nowhere"), path("dangling")).unwrap();
    assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    fs::create_dir(path("folder")).unwrap();
    let pull = |file: &str| lanes(&registry, &["pull", &format!("{}/filter:1", registry.address), "-o", file]);
    for (name, what) in
        [("link", "a link"), ("dangling", "a link"), ("pipe", "no ordinary file"), ("folder", "a folder")]
    {
        let said = failed(&pull(&path(name)));
        assert!(said.contains(&format!("failed to write {}: it is {what}", path(name))), "{said}");
    }
    assert_eq!(fs::read_to_string(path("target")).unwrap(), "before");
    assert!(!fs::exists(path("nowhere")).unwrap());

    assert_eq!(pull(&path("target")).status.code(), Some(0));
    assert_eq!(fs::read(path("target")).unwrap(), module);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5, "nothing is left beside");
}

#[test]
fn a_blob_is_sent_elsewhere_by_nobody_in_particular() {
    let store = HostileRegistry::start(ELSEWHERE, |_| Answer::new("201 Created", "").with("location: /x")).unwrap();
    let location = format!("location: http://0.0.0.0:{}/upload", store.address.port());
    let registry = HostileRegistry::start(HERE, move |path| match path {
        "/v2/" => Answer::new("401 Unauthorized", "").with("www-authenticate: Basic realm=\"r\""),
        path if path.ends_with("/uploads/") => Answer::new("202 Accepted", "").with(&location),
        path if path.contains("/manifests/") => Answer::new("201 Created", "").with("location: /x"),
        _ => Answer::new("404 Not Found", ""),
    })
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("m.wasm");
    fs::write(&module, b"\0asm\x01\0\0\0").unwrap();
    lanes(&registry, &["push", module.to_str().unwrap(), &format!("{}/filter:1", registry.address)]);
    assert!(!store.asked().is_empty() && store.asked().iter().all(|asked| asked.authorization.is_empty()));
    assert!(registry.asked().iter().any(|asked| asked.authorization == BASIC));
}

#[test]
fn answers_without_an_end_are_not_read_to_it() {
    let started = Instant::now();
    let endless = |part: &'static str, status: &'static str, place: &'static str| {
        let registry = HostileRegistry::start(HERE, move |path| match path {
            path if path.contains(place) => Answer::endless(status, part),
            "/v2/" if place == "/token" => Answer::new("401 Unauthorized", ""),
            "/v2/" => Answer::new("200 OK", "{}"),
            _ => Answer::new("404 Not Found", ""),
        });
        registry.unwrap()
    };
    for part in [" ", "[", "{\"a\":"] {
        let said = failed(&inspect(&endless(part, "200 OK", "/manifests/")));
        assert!(said.contains("answers with more than the 4194304 bytes that it could be"), "{said}");
    }
    let said = failed(&inspect(&endless("no ", "500 Internal Server Error", "/manifests/")));
    assert!(said.contains("answers with 500"), "{said}");
    let said = failed(&inspect(&endless("no ", "403 Forbidden", "/manifests/")));
    assert!(said.contains("answers with 403"), "{said}");
    inspect(&endless("no ", "200 OK", "/v2/"));

    for (status, expected) in [("200 OK", "answers with more than"), ("403 Forbidden", "no no no")] {
        let registry = HostileRegistry::start(HERE, move |path| match path {
            path if path.starts_with("/token") => Answer::endless(status, "no "),
            _ => Answer::new("404 Not Found", ""),
        });
        let token = registry.unwrap();
        let realm = format!("http://{}/token", token.address);
        let registry = HostileRegistry::start(HERE, move |_| unauthorized(&realm)).unwrap();
        let said = failed(&inspect(&registry));
        assert!(said.contains(expected) && said.len() < 1000, "{said}");
    }
    assert!(started.elapsed() < Duration::from_secs(50), "{:?}", started.elapsed());
}

#[test]
fn a_blob_is_what_the_manifest_says() {
    let digest = Digest::of(b"\0asm\x01\0\0\0").to_string();
    let said = failed(&inspect(&with_layer(8, &digest, || Answer::endless("200 OK", "x"))));
    assert!(said.contains("does not have the 8 bytes it should"), "{said}");
    let said = failed(&inspect(&with_layer(8, &digest, || Answer::new("200 OK", "other!!!"))));
    assert!(said.contains("the registry gives sha256:") || said.contains("digest"), "{said}");
    let said = failed(&inspect(&with_layer(1 << 27, &digest, || Answer::endless("500 Oh", "x"))));
    assert!(said.contains("answers with 500"), "{said}");
}

#[test]
fn what_a_registry_says_does_not_command_the_terminal() {
    let errors = "{\"errors\": [{\"code\": \"DENIED\", \"message\": \"a\\u001b[2J\\r\\nerror: b\\u202e\\u009b\"}]}";
    let registry = HostileRegistry::start(HERE, move |path| match path {
        "/v2/" => Answer::new("200 OK", "{}"),
        _ => Answer::new("403 Forbidden", errors),
    });
    let said = failed(&inspect(&registry.unwrap()));
    assert!(said.ends_with("refuses: a\\u{1b}[2J error: b\\u{202e}\\u{9b}\n"), "{said:?}");
}

#[test]
fn an_index_that_leads_nowhere_comes_to_an_end() {
    // Each is of what the one before names: as long a way as anybody likes.
    let index = "application/vnd.oci.image.index.v1+json";
    let mut chain = vec![(Digest::of(b"end"), b"end".to_vec())];
    for _ in 0..100 {
        let (digest, bytes) = chain.last().unwrap();
        let child = json!({"mediaType": index, "size": bytes.len(), "digest": digest.to_string(),
            "platform": {"os": "linux", "architecture": "amd64"}});
        let bytes = json!({"schemaVersion": 2, "mediaType": index, "manifests": [child]}).to_string().into_bytes();
        chain.push((Digest::of(&bytes), bytes));
    }
    let first = chain.last().unwrap().1.clone();
    let registry = HostileRegistry::start(HERE, move |path| match path {
        "/v2/" => Answer::new("200 OK", "{}"),
        path if path.ends_with("/manifests/1") => Answer::new("200 OK", first.clone()),
        path => match chain.iter().find(|(digest, _)| path.ends_with(&digest.to_string())) {
            Some((_, bytes)) => Answer::new("200 OK", bytes.clone()),
            None => Answer::new("404 Not Found", ""),
        },
    })
    .unwrap();
    assert!(failed(&inspect(&registry)).contains("an index of indices"));
    assert!(registry.asked().len() < 20);
}
