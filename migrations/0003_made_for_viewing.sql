-- Streams that browsers can't play are transcoded for viewing: what they are in the original.
ALTER TABLE recordings ADD COLUMN made_video TEXT;
ALTER TABLE recordings ADD COLUMN made_audio TEXT;

-- What could not be shown before is looked at again.
UPDATE jobs SET state = 'waiting', attempts = 0, run_after_us = 0, last_error = NULL
    WHERE kind = 'probe' AND state IN ('done', 'failed') AND recording_id IN (
        SELECT id FROM recordings WHERE playback_state = 'impossible' AND playback_reason IN (
            'container_unsupported', 'video_codec_unsupported', 'audio_codec_unsupported',
            'parameters_change', 'parameters_missing', 'frames_packed')
        OR playback_state = 'ready' AND playback_reason = 'sound_omitted');
