//! Whom a TLS connection trusts.

use std::sync::Arc;

use docket_base::Sha256Digest;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use crate::connect::SetupError;

/// Whom a TLS connection trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Trust {
    /// The system's certificate authorities.
    #[default]
    System,
    /// Only the authorities of this PEM text: an agency's own.
    Authorities(Vec<u8>),
    /// Only the server certificate with this SHA-256 (of its DER), whatever its name or dates: a
    /// self-signed certificate that somebody compared by hand.
    Pinned(Sha256Digest),
}

/// The rustls configuration, with ring named as the provider: nothing depends on which one another
/// crate has installed as the process's default.
pub(crate) fn client_config(trust: &Trust) -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| SetupError::Tls(error.to_string()))?;
    let config = match trust {
        Trust::System => builder.with_root_certificates(system_roots()),
        Trust::Authorities(pem) => builder.with_root_certificates(own_roots(pem)?),
        Trust::Pinned(pin) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pin {
                pin: *pin,
                provider,
            })),
    };
    Ok(config.with_no_client_auth())
}

/// A machine without any (no ca-certificates package) can still speak plain HTTP to itself, so an
/// empty store is no error here; a TLS handshake then fails and says so.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn own_roots(pem: &[u8]) -> Result<RootCertStore, SetupError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| SetupError::Tls(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| SetupError::Tls(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(SetupError::Tls("the PEM text holds no certificate".into()));
    }
    Ok(roots)
}

#[derive(Debug)]
struct Pin {
    pin: Sha256Digest,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if Sha256Digest::of(end_entity) == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pinned_certificate_passes() {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let pin = Pin {
            pin: Sha256Digest::of(b"the certificate"),
            provider,
        };
        let judge = |der: &[u8]| {
            let name = ServerName::try_from("docket.example").expect("name");
            let now = UnixTime::since_unix_epoch(std::time::Duration::ZERO);
            pin.verify_server_cert(&CertificateDer::from(der), &[], &name, &[], now)
        };
        assert!(judge(b"the certificate").is_ok());
        assert!(judge(b"another certificate").is_err());
    }

    #[test]
    fn authorities_must_be_some() {
        for pem in [
            "",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            let trust = Trust::Authorities(pem.as_bytes().to_vec());
            assert!(client_config(&trust).is_err(), "{pem}");
        }
        assert!(client_config(&Trust::System).is_ok());
    }
}
