//! TLS from certificate files, which are read again when they change.
//!
//! A renewal that is half written, or a key that does not fit its certificate, leaves the certificate in force as it is.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::activity::Activity;
use super::stream::Stream;
use crate::TlsFiles;

/// A handshake is a few round trips.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);
/// How often the files are looked at.
const RELOAD_INTERVAL: Duration = Duration::from_secs(30);

/// Why the certificate files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is not PEM.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: pem::Error,
    },
    /// The file of certificates has none.
    #[error("{0} has no certificate")]
    NoCertificate(PathBuf),
    /// The key cannot be used, or is not the certificate's.
    #[error("cannot use the certificate and key: {0}")]
    Unusable(#[from] rustls::Error),
}

/// Accepts TLS connections with the certificate in force.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    certificate: Arc<Certificate>,
}

impl Tls {
    /// Reads the files.
    pub(crate) fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let certificate = Arc::new(Certificate::load(files, Arc::clone(&provider))?);
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Certificate>::clone(&certificate);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificate,
        })
    }

    /// Does the handshake.
    pub(super) async fn accept(&self, stream: TcpStream, activity: Activity) -> io::Result<Stream> {
        let stream =
            tokio::time::timeout(HANDSHAKE_TIMEOUT, self.acceptor.accept(stream)).await??;
        Ok(Stream::tls(stream, activity))
    }

    /// Reads the files again whenever they changed and on every SIGHUP, until `cancel`.
    pub(crate) async fn follow(self, cancel: CancellationToken) {
        let mut hangups = match signal(SignalKind::hangup()) {
            Ok(hangups) => hangups,
            Err(error) => {
                return tracing::error!(%error, "cannot follow SIGHUP; certificates stay as they are");
            }
        };
        loop {
            let is_asked = tokio::select! {
                () = cancel.cancelled() => return,
                _ = hangups.recv() => true,
                () = tokio::time::sleep(RELOAD_INTERVAL) => false,
            };
            let certificate = Arc::clone(&self.certificate);
            let reload = tokio::task::spawn_blocking(move || certificate.reload(is_asked));
            match reload.await {
                Ok(Ok(true)) => tracing::info!("certificate read again"),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => {
                    tracing::error!(%error, "cannot renew the certificate; the old one stays");
                }
                Err(error) => tracing::error!(%error, "reading the certificate failed"),
            }
        }
    }
}

/// The certificate in force, and the files it came from.
#[derive(Debug)]
struct Certificate {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    in_force: RwLock<InForce>,
}

#[derive(Debug)]
struct InForce {
    key: Arc<CertifiedKey>,
    stamp: Stamp,
}

/// What tells one state of the files from another: length and time of modification of each.
type Stamp = [Option<(u64, SystemTime)>; 2];

impl Certificate {
    fn load(files: TlsFiles, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let stamp = stamp(&files);
        let key = read(&files, &provider)?;
        Ok(Self {
            files,
            provider,
            in_force: RwLock::new(InForce { key, stamp }),
        })
    }

    /// Reads the files if they changed, or in any case if `is_asked`. Returns whether it did.
    ///
    /// The stamp is taken before the files are read, so a change in between is seen next time. It is kept when reading
    /// fails, so that a broken file is complained of once and not every period.
    fn reload(&self, is_asked: bool) -> Result<bool, TlsError> {
        let stamp = stamp(&self.files);
        if !is_asked && self.in_force.read().stamp == stamp {
            return Ok(false);
        }
        let key = read(&self.files, &self.provider);
        let mut in_force = self.in_force.write();
        in_force.stamp = stamp;
        in_force.key = key?;
        Ok(true)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.in_force.read().key))
    }
}

fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::Read { path, source }
    };
    let certificates = CertificateDer::pem_file_iter(&files.certificates)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable(&files.certificates))?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate(files.certificates.clone()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(unreadable(&files.key))?;
    Ok(Arc::new(CertifiedKey::from_der(
        certificates,
        key,
        provider,
    )?))
}

fn stamp(files: &TlsFiles) -> Stamp {
    [&files.certificates, &files.key].map(|path| {
        let metadata = path.metadata().ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::crypto::aws_lc_rs;

    use super::{Certificate, TlsError};
    use crate::TlsFiles;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn files(&self) -> TlsFiles {
            TlsFiles {
                certificates: self.0.path().join("cert.pem"),
                key: self.0.path().join("key.pem"),
            }
        }

        fn issue(&self, name: &str) {
            let issued = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
            std::fs::write(self.files().certificates, issued.cert.pem()).unwrap();
            std::fs::write(self.files().key, issued.signing_key.serialize_pem()).unwrap();
        }

        fn load(&self) -> Result<Certificate, TlsError> {
            Certificate::load(self.files(), Arc::new(aws_lc_rs::default_provider()))
        }
    }

    #[test]
    fn a_renewed_certificate_takes_force() {
        let folder = Folder::new();
        folder.issue("one.example");
        let certificate = folder.load().unwrap();
        let before = certificate.in_force.read().key.cert.clone();
        assert!(!certificate.reload(false).unwrap());
        folder.issue("a-longer-name.example");
        assert!(certificate.reload(false).unwrap());
        assert_ne!(certificate.in_force.read().key.cert, before);
    }

    #[test]
    fn a_key_of_another_certificate_leaves_the_old_one_in_force() {
        let folder = Folder::new();
        folder.issue("one.example");
        let certificate = folder.load().unwrap();
        let before = certificate.in_force.read().key.cert.clone();
        let other = rcgen::generate_simple_self_signed(["b.example".to_owned()]).unwrap();
        std::fs::write(folder.files().key, other.signing_key.serialize_pem()).unwrap();
        assert!(matches!(
            certificate.reload(true),
            Err(TlsError::Unusable(_))
        ));
        assert_eq!(certificate.in_force.read().key.cert, before);
        assert!(
            !certificate.reload(false).unwrap(),
            "a broken file is complained of once"
        );
    }

    #[test]
    fn missing_and_empty_files_are_named() {
        let folder = Folder::new();
        assert!(folder.load().unwrap_err().to_string().contains("cert.pem"));
        folder.issue("one.example");
        std::fs::write(folder.files().certificates, "").unwrap();
        assert!(matches!(folder.load(), Err(TlsError::NoCertificate(_))));
    }
}
