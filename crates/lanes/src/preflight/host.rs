//! Host names, as Istio reads them.

/// A host as a resource names it: without a dot, a service of the resource's own namespace; `name.namespace` is taken as it is.
pub(super) fn resolve(host: &str, namespace: &str, domain: &str) -> String {
    if host == "*" || host.contains(['.', ':']) {
        return host.to_ascii_lowercase();
    }
    format!("{}.{namespace}.svc.{domain}", host.to_ascii_lowercase())
}

/// Whether a host, which may begin with `*`, is this one or one for many that covers it.
pub(crate) fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(end) => host.len() >= pattern.len() && host.ends_with(end),
        None => pattern == host,
    }
}

/// Whether some host is covered by both.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    match (one.strip_prefix('*'), other.strip_prefix('*')) {
        (Some(one), Some(other)) => one.ends_with(other) || other.ends_with(one),
        (Some(_), None) => covers(one, other),
        (None, _) => covers(other, one),
    }
}

/// Whether something in a namespace that says `exportTo` is seen from another. What says nothing has the mesh's default.
pub(super) fn is_seen(export_to: &[String], default: &[String], home: &str, from: &str) -> bool {
    let given = if export_to.is_empty() { default } else { export_to };
    given.is_empty()
        || given.iter().any(|to| match to.as_str() {
            "*" => true,
            "." => home == from,
            namespace => namespace == from,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_resolved_as_istio_does() {
        let resolved = |host| resolve(host, "shop", "cluster.local");
        assert_eq!(resolved("mocka"), "mocka.shop.svc.cluster.local");
        assert_eq!((resolved("mocka.default"), resolved("*")), ("mocka.default".to_owned(), "*".to_owned()));
    }

    #[test]
    fn wildcards_cover_what_ends_like_them() {
        let covered = |pattern| covers(pattern, "mocka.default.svc.cluster.local");
        assert!(covered("*") && covered("*.local") && covered("mocka.default.svc.cluster.local"));
        assert!(!covered("*.com") && !covered("mocka.default") && !covered("*.mocka.default.svc.cluster.local"));
        assert!(overlap("*", "a.b") && overlap("*.b", "a.b") && overlap("*.a.b", "*.b") && !overlap("*.a", "*.b"));
    }

    #[test]
    fn exports_are_seen_by_the_namespaces_that_they_name() {
        let seen = |export_to: &[&str], from| {
            is_seen(&export_to.iter().map(|&to| to.to_owned()).collect::<Vec<_>>(), &[".".to_owned()], "shop", from)
        };
        assert!(seen(&["*"], "other") && seen(&["."], "shop") && seen(&["other"], "other") && seen(&[], "shop"));
        assert!(!seen(&[], "other") && !seen(&["~"], "shop") && !seen(&["other"], "shop"));
    }
}
