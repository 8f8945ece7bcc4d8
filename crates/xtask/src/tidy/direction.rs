//! Dependencies point from the doors to the house to the ground, and libraries stay on the side they belong to.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Each crate of the workspace and the ones of the workspace that it may depend on (outside of tests).
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("wharf-types", &[]),
    ("wharf-wire", &["wharf-types"]),
    ("wharf-store", &["wharf-types", "wharf-wire"]),
    ("wharf-core", &["wharf-types", "wharf-wire", "wharf-store"]),
    (
        "wharf-server",
        &["wharf-types", "wharf-wire", "wharf-store", "wharf-core"],
    ),
    ("wharf-client", &["wharf-types", "wharf-wire"]),
    (
        "wharf",
        &[
            "wharf-types",
            "wharf-wire",
            "wharf-store",
            "wharf-core",
            "wharf-server",
            "wharf-client",
        ],
    ),
    (
        "wharf-testkit",
        &[
            "wharf-types",
            "wharf-wire",
            "wharf-store",
            "wharf-core",
            "wharf-server",
        ],
    ),
    ("wharf-load", &["wharf-types", "wharf-wire", "wharf-client"]),
    ("xtask", &[]),
];

/// Libraries that mark a side, and the only crates that may use them (outside of tests).
const BELONGS_TO: &[(&str, &[&str])] = &[
    ("rusqlite", &["wharf-store", "wharf-client"]),
    ("postgres", &["wharf-store", "wharf-testkit"]),
    ("axum", &["wharf-server"]),
    ("hyper", &["wharf-server", "wharf-client", "wharf-testkit"]),
    ("argon2", &["wharf-core"]),
    ("clap", &["wharf", "wharf-load"]),
    (
        "tokio",
        &[
            "wharf-store",
            "wharf-core",
            "wharf-server",
            "wharf-client",
            "wharf",
            "wharf-load",
            "wharf-testkit",
        ],
    ),
];

/// Reads `cargo metadata` and names every dependency that points the wrong way.
pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata has no packages")?;
    Ok(packages.iter().flat_map(findings_of).collect())
}

fn findings_of(package: &Value) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let Some((_, allowed)) = MAY_DEPEND_ON.iter().find(|(krate, _)| *krate == name) else {
        return vec![format!(
            "{name}: say in xtask's tidy::direction what it may depend on"
        )];
    };
    let no_dependencies = Vec::new();
    let dependencies = package["dependencies"]
        .as_array()
        .unwrap_or(&no_dependencies);
    let mut findings = Vec::new();
    for dependency in dependencies.iter().filter(|one| one["kind"].is_null()) {
        let needed = dependency["name"].as_str().unwrap_or_default();
        let is_ours = MAY_DEPEND_ON.iter().any(|(krate, _)| *krate == needed);
        if is_ours && !allowed.contains(&needed) {
            findings.push(format!("{name}: must not depend on {needed}"));
        }
        let owners = BELONGS_TO.iter().find(|(library, _)| *library == needed);
        if let Some((_, owners)) = owners
            && !owners.contains(&name)
        {
            findings.push(format!("{name}: {needed} belongs to {}", owners.join(", ")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::findings_of;

    #[test]
    fn a_house_that_knows_a_door_is_found() {
        let package = json!({
            "name": "wharf-core",
            "dependencies": [
                { "name": "wharf-server", "kind": null },
                { "name": "axum", "kind": null },
                { "name": "wharf-testkit", "kind": "dev" },
            ],
        });
        let findings = findings_of(&package);
        assert_eq!(findings.len(), 2, "{findings:?}");
    }

    #[test]
    fn a_crate_without_rules_is_found() {
        let findings = findings_of(&json!({ "name": "wharf-new", "dependencies": [] }));
        assert_eq!(findings.len(), 1);
    }
}
