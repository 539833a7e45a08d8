//! Opening a recording with FFmpeg.

use std::ops::Range;
use std::ptr;

use ffmpeg_next as ffmpeg;
use ffmpeg_next::ffi;
use ffmpeg_next::format::context::{Input, StreamIo};

use crate::fault::{Fault, Result};
use crate::recording::{Joined, Recording};

/// Demuxers that may run. Not among them: those that open further files by name.
const FORMATS: &str = "mov,matroska,avi,mpegts,mpeg,flv,asf,wav,mp3,aac,ogg,flac,amr";
/// Decoders that may run: for finding out what a stream is, and for posters.
const CODECS: &str = "h264,hevc,mpeg4,mjpeg,mpeg1video,mpeg2video,msmpeg4v1,msmpeg4v2,msmpeg4,h263,\
wmv1,wmv2,wmv3,vp8,vp9,aac,mp3,mp3float,mp2,mp2float,ac3,eac3,amrnb,amrwb,opus,vorbis,flac,\
pcm_mulaw,pcm_alaw,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s32le,pcm_u8,pcm_s8,pcm_f32le,\
adpcm_ima_wav,adpcm_ima_qt,adpcm_ima_dk3,adpcm_ima_dk4,adpcm_ms,adpcm_swf,adpcm_g726,adpcm_g726le,adpcm_g722,adpcm_yamaha,\
h263i,h263p,flv,h261,svq3,rawvideo,wmav1,wmav2,alac,gsm_ms,dvvideo";
const IO_BUFFER_BYTES: usize = 64 << 10;

/// How much is found out on opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Only what the container says; packets come as they are stored.
    Container,
    /// Only what the container says; packets are parsed.
    Parsed,
    /// The first packets are parsed and decoded as well.
    Streams,
}

/// The shape of a stream's pixels; 0 where it isn't known.
#[allow(unsafe_code)]
pub fn aspect(stream: &ffmpeg::format::stream::Stream<'_>) -> ffmpeg::Rational {
    // SAFETY: plain fields of a live stream.
    let (of_stream, of_codec) = unsafe {
        let raw = &*stream.as_ptr();
        (raw.sample_aspect_ratio, (*raw.codecpar).sample_aspect_ratio)
    };
    match of_stream.num {
        0 => of_codec.into(),
        _ => of_stream.into(),
    }
}

/// Opens a recording.
///
/// # Errors
/// [`Fault::Source`] when the bytes could not be had; else what FFmpeg says.
pub fn open(recording: &Recording, depth: Depth) -> Result<Input> {
    let io = StreamIo::from_read_seek_with_capacity(recording.reader(), IO_BUFFER_BYTES)?;
    open_io(recording, io, depth)
}

/// Opens what is left of a recording without `gap`. It can't be sought in: its index, if it has one, is of
/// other places.
///
/// # Errors
/// As [`open`].
pub fn open_joined(recording: &Recording, gap: Range<u64>, depth: Depth) -> Result<Input> {
    let joined = Joined::new(recording, gap);
    let io = StreamIo::from_read_with_capacity(joined, IO_BUFFER_BYTES)?;
    open_io(recording, io, depth)
}

#[allow(unsafe_code)]
fn open_io(recording: &Recording, mut io: StreamIo, depth: Depth) -> Result<Input> {
    let mut options = ffmpeg::Dictionary::new();
    for (name, value) in [
        ("format_whitelist", FORMATS),
        ("codec_whitelist", CODECS),
        ("protocol_whitelist", ""),
        ("max_streams", "64"),
        ("enable_drefs", "0"),
        ("export_all", "0"),
    ] {
        options.set(name, value);
    }
    // SAFETY: the context is allocated here and either freed by FFmpeg (a failed avformat_open_input
    // does), closed here, or handed to the wrapper together with `io`, which outlives it there. The
    // options dictionary goes in and comes back through the same pointer.
    let opened = unsafe {
        let mut context = ffi::avformat_alloc_context();
        if context.is_null() {
            return Err(Fault::OutOfMemory);
        }
        (*context).pb = io.as_mut_ptr();
        (*context).flags |= ffi::AVFMT_FLAG_CUSTOM_IO;
        if depth == Depth::Container {
            (*context).flags |= ffi::AVFMT_FLAG_NOPARSE | ffi::AVFMT_FLAG_NOFILLIN;
        }
        let mut raw = options.disown();
        let mut code =
            ffi::avformat_open_input(&raw mut context, ptr::null(), ptr::null(), &raw mut raw);
        drop(ffmpeg::Dictionary::own(raw));
        if code >= 0 && depth == Depth::Streams {
            code = ffi::avformat_find_stream_info(context, ptr::null_mut());
            if code < 0 {
                ffi::avformat_close_input(&raw mut context);
            }
        }
        if code < 0 {
            Err(ffmpeg::Error::from(code))
        } else {
            Ok(Input::wrap_with_custom_io(context, io))
        }
    };
    match (recording.failure(), opened) {
        (Some(message), _) => Err(Fault::Source(message)),
        (None, opened) => Ok(opened?),
    }
}
