//! Whom to trust, and how to encrypt.

use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_rustls::TlsConnector;

use crate::api::ApiError;

/// A connector that trusts the certificates in `ca_file`, or else the system's.
pub(super) fn connector(ca_file: Option<&Path>) -> Result<TlsConnector, ApiError> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(path) => trust_file(&mut roots, path)?,
        None => {
            // Certificates of the system that cannot be read are passed over: the others may do.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(ApiError::Setup(
            "the system has no certificates to trust; name a file with --ca-file".into(),
        ));
    }
    // The provider is named here, so that nothing has to be installed for the whole process first.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ApiError::Setup(format!("cannot set up TLS: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn trust_file(roots: &mut RootCertStore, path: &Path) -> Result<(), ApiError> {
    let refuse = |error: &dyn std::fmt::Display| {
        ApiError::Setup(format!(
            "cannot use the certificates in {}: {error}",
            path.display()
        ))
    };
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| refuse(&error))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| refuse(&error))?;
        roots.add(certificate).map_err(|error| refuse(&error))?;
    }
    Ok(())
}
