import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Twelve seconds of HLS (fMP4, H.264/AAC), made by ffmpeg in a folder of its own. */
export function makeMedia(): string {
  const dir = mkdtempSync(join(tmpdir(), 'docket-console-'));
  const run = (args: string[]) => execFileSync('ffmpeg', ['-nostdin', '-v', 'error', ...args], { cwd: dir });
  const input = ['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=25:d=12', '-f', 'lavfi', '-i', 'sine=d=12'];
  const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-shortest'];
  run([...input, ...codec, '-f', 'hls', '-hls_time', '2', '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename', 'init.mp4', '-hls_segment_filename', '%d.m4s', 'index.m3u8']);
  run(['-f', 'lavfi', '-i', 'testsrc2=s=640x360:d=1', '-frames:v', '1', 'poster.jpg']);
  run(['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=1:d=2', '-vf', 'tile=2x1', '-frames:v', '1', 'storyboard-0.jpg']);
  return dir;
}
