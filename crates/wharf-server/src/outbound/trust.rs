//! Whom to believe when a receiver shows its certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;

/// Why the file of certificate authorities cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the certificate authorities in {path}: {reason}")]
pub struct TrustError {
    /// The file.
    path: PathBuf,
    /// What is wrong with it.
    reason: String,
}

/// The certificate authorities of one file, or the system's, which are read when the first receiver needs them.
pub(crate) struct Trust {
    named: Option<TlsConnector>,
    system: OnceCell<Option<TlsConnector>>,
}

impl Trust {
    /// Reads `file`, if there is one.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, TrustError> {
        let named = file.map(named).transpose()?;
        Ok(Self {
            named,
            system: OnceCell::new(),
        })
    }

    /// What makes connections private; nothing where the machine trusts nobody.
    pub(super) async fn connector(&self) -> Option<&TlsConnector> {
        if self.named.is_some() {
            return self.named.as_ref();
        }
        let load = || async { tokio::task::spawn_blocking(system).await.ok().flatten() };
        self.system.get_or_init(load).await.as_ref()
    }
}

fn named(path: &Path) -> Result<TlsConnector, TrustError> {
    let refuse = |reason: String| TrustError {
        path: path.to_owned(),
        reason,
    };
    let mut roots = RootCertStore::empty();
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|error| refuse(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| refuse(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| refuse(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(refuse("it has no certificate".to_owned()));
    }
    connector(roots).map_err(|error| refuse(error.to_string()))
}

fn system() -> Option<TlsConnector> {
    let mut roots = RootCertStore::empty();
    // Certificates of the system that cannot be read are passed over: the others may do.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        tracing::warn!(
            "the system has no certificate authorities: webhooks to https and notices fail"
        );
        return None;
    }
    connector(roots)
        .inspect_err(|error| tracing::error!(%error, "cannot set up TLS for what is posted"))
        .ok()
}

fn connector(roots: RootCertStore) -> Result<TlsConnector, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
