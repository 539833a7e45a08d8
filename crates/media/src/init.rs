//! The init segment: `ftyp` and an empty `moov` by FFmpeg's muxer, with the original's decoder
//! configuration, rotation and pixel shape.

use std::io::{self, Write};
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use docket_playback::facts::ReasonCode;
use docket_playback::index::MAX_INIT_BYTES;
use ffmpeg_next as ffmpeg;
use ffmpeg_next::codec::packet::side_data::Type as SideData;
use ffmpeg_next::ffi;
use ffmpeg_next::format::context::{Input, Output, StreamIo};

use crate::fault::{Fault, Result};

/// An init segment, and the ticks a second its tracks have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    /// `ftyp` and `moov`.
    pub bytes: Vec<u8>,
    /// Of each track, in order.
    pub timescales: Vec<u32>,
}

/// What a track of the init segment describes.
pub struct Described {
    /// The stream, whose rotation it keeps.
    pub stream: usize,
    /// Its parameters, where they aren't the stream's own: an encoder's, or completed ones.
    pub parameters: Option<ffmpeg::codec::Parameters>,
    /// Ticks a second, where they aren't the stream's own.
    pub timescale: Option<u32>,
}

impl Described {
    /// A stream as it is.
    pub fn stream(stream: usize) -> Self {
        Self {
            stream,
            parameters: None,
            timescale: None,
        }
    }
}

/// Makes the init segment of these tracks; track ids count from 1 in that order.
///
/// # Errors
/// When the muxer refuses what the file says of its streams.
pub fn init(input: &Input, tracks: &[Described]) -> Result<Init> {
    let bytes = Written::default();
    let io = StreamIo::from_write(bytes.clone())?;
    let mut output = ffmpeg::format::output_to_stream(io, None, Some("mp4"))?;
    for track in tracks {
        add_stream(&mut output, input, track)?;
    }
    let mut options = ffmpeg::Dictionary::new();
    options.set(
        "movflags",
        "empty_moov+default_base_moof+frag_keyframe+skip_trailer",
    );
    options.set("use_editlist", "0");
    options.set("avoid_negative_ts", "disabled");
    options.set("fflags", "+bitexact");
    drop(output.write_header_with(options)?);
    let scale =
        |stream: ffmpeg::Stream<'_>| u32::try_from(stream.time_base().denominator()).unwrap_or(0);
    let timescales: Vec<u32> = output.streams().map(scale).collect();
    drop(output); // flushes
    let bytes = std::mem::take(&mut *bytes.0.lock().unwrap_or_else(PoisonError::into_inner));
    if bytes.len() > MAX_INIT_BYTES || bytes.is_empty() || timescales.contains(&0) {
        return Err(ReasonCode::IndexDamaged.into());
    }
    Ok(Init { bytes, timescales })
}

#[allow(unsafe_code)]
fn add_stream(output: &mut Output, input: &Input, track: &Described) -> Result<()> {
    let source = input.stream(track.stream).ok_or(ReasonCode::IndexDamaged)?;
    let matrix = source
        .side_data()
        .find(|data| data.kind() == SideData::DisplayMatrix);
    // SAFETY: both contexts are alive; the new stream belongs to the output; parameters are copied
    // deeply; the side data's buffer is allocated by FFmpeg with the matrix's length.
    unsafe {
        let stream = ffi::avformat_new_stream(output.as_mut_ptr(), ptr::null());
        if stream.is_null() {
            return Err(Fault::OutOfMemory);
        }
        let from = source.as_ptr();
        let parameters = match &track.parameters {
            Some(parameters) => parameters.as_ptr(),
            None => (*from).codecpar.cast_const(),
        };
        let code = ffi::avcodec_parameters_copy((*stream).codecpar, parameters);
        if code < 0 {
            return Err(ffmpeg::Error::from(code).into());
        }
        (*(*stream).codecpar).codec_tag = 0; // the muxer knows its own
        // Of a fragmented file it is an average over what is there: while that still arrives, the
        // init segment must stay what it is.
        (*(*stream).codecpar).bit_rate = 0;
        (*stream).time_base = match track.timescale {
            Some(scale) => ffi::AVRational {
                num: 1,
                den: i32::try_from(scale).map_err(|_| ReasonCode::IndexDamaged)?,
            },
            None => (*from).time_base,
        };
        (*stream).sample_aspect_ratio = match &track.parameters {
            Some(_) => (*(*stream).codecpar).sample_aspect_ratio,
            None => (*from).sample_aspect_ratio,
        };
        if let Some(matrix) = matrix {
            let bytes = matrix.data();
            let kind = ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX;
            let to = ffi::av_stream_new_side_data(stream, kind, bytes.len());
            if to.is_null() {
                return Err(Fault::OutOfMemory);
            }
            ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
    }
    Ok(())
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if written.len() + bytes.len() > 2 * MAX_INIT_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
