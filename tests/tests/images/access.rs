//! Who may, and over what: credentials, tokens, and connections without TLS.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use traffic_lanes_tests::{
    built,
    registry::{Registry, USER},
    token_registry,
};

use crate::{failed, lanes, path, succeeded};

#[test]
fn credentials_are_those_of_docker() {
    let registry = Registry::start_for_one_user().unwrap();
    let (reference, file) = (registry.reference("private/hash-tagging:1"), path("hash_tagging.wasm"));
    let push = |config: &Path| traffic_lanes_tests::registry::lanes(config, &["push", &file, &reference]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = |json: Value| fs::write(folder.path().join("config.json"), json.to_string()).unwrap();

    let said = failed(&push(folder.path()));
    assert!(said.contains(&format!("wants other credentials: `docker login {}`", registry.address())), "{said}");

    let (user, password) = USER;
    config(json!({"auths": {registry.address().to_string(): {"username": user, "password": "wrong"}}}));
    assert!(failed(&push(folder.path())).contains("wants other credentials"));

    config(json!({"auths": {registry.address().to_string(): {"username": user, "password": password}}}));
    succeeded(&push(folder.path()));

    let helper = folder.path().join("docker-credential-lanes");
    let answer = json!({"ServerURL": "", "Username": user, "Secret": password});
    fs::write(&helper, format!("#!/bin/sh\ncat >/dev/null\necho '{answer}'\n")).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    config(json!({"credHelpers": {registry.address().to_string(): "lanes"}}));
    let search = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let mut inspect = Command::new(built("lanes").unwrap());
    inspect.args(["inspect", &reference]).env("DOCKER_CONFIG", folder.path()).env("PATH", search);
    succeeded(&inspect.stdin(Stdio::null()).output().unwrap());

    config(json!({"auths": {registry.address().to_string(): {"identitytoken": "t"}}}));
    assert!(failed(&push(folder.path())).contains("an identity token is configured, which is not supported"));
}

#[test]
fn a_token_is_asked_for_with_the_credentials() {
    let registry = token_registry::start().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let inspect = |user: &str, password: &str| {
        let config = json!({"auths": {&registry: {"username": user, "password": password}}});
        fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let reference = format!("{registry}/private:1");
        failed(&traffic_lanes_tests::registry::lanes(folder.path(), &["inspect", &reference]).unwrap())
    };
    let (user, password) = USER;
    assert!(inspect(user, password).ends_with("/private:1: there is no such image\n"), "let in, there is nothing");
    let said = inspect(user, "wrong");
    assert!(said.contains("does not accept the credentials") && said.ends_with("who are you?\n"), "{said}");
}

/// 0.0.0.0 is this machine too, but does not look like it.
#[test]
fn without_tls_only_what_is_on_this_machine_is_spoken_to() {
    let registry = Registry::start().unwrap();
    let elsewhere = format!("0.0.0.0:{}/hash-tagging:1", registry.address().port());
    let file = path("hash_tagging.wasm");

    assert!(failed(&lanes(&["push", &file, &elsewhere])).contains("failed to talk to 0.0.0.0:"));
    assert_eq!(registry.manifest("hash-tagging", "1").unwrap(), None);

    succeeded(&lanes(&["push", &file, &elsewhere, "--plain-http"]));
    assert!(registry.manifest("hash-tagging", "1").unwrap().is_some());
}
