#!/usr/bin/env bash
# footage.sh DIR: what a recorder might hold after a day: H.264/AAC MP4s with their index at the end, one AVI.
set -euo pipefail
dir=$1
[ -e "$dir.complete" ] && exit 0
mkdir -p "$dir/DCIM/20261123"

film() { # NAME SECONDS PATTERN TONE
  local target="$dir/DCIM/20261123/$1"
  echo "  filming $1 ($2 s)"
  ffmpeg -nostdin -loglevel error -y \
    -f lavfi -i "$3=size=1280x720:rate=25:duration=$2" -f lavfi -i "sine=frequency=$4:beep_factor=4:duration=$2" \
    -c:v libx264 -preset ultrafast -b:v 4M -maxrate 5M -bufsize 8M -g 50 -pix_fmt yuv420p -c:a aac -b:a 64k -ac 1 \
    -f mp4 "$target.part"
  mv "$target.part" "$target"
}
film '餐厅后厨检查 第1段.mp4' 90 testsrc2 440
film '餐厅后厨检查 第2段.mp4' 60 testsrc2 554
film '现场询问（王某）.mp4' 45 smptehdbars 660
film '游泳馆水质采样.mp4' 30 testsrc 330

echo "  filming 老式记录仪.avi (20 s)"
avi="$dir/DCIM/20261123/老式记录仪.avi"
ffmpeg -nostdin -loglevel error -y \
  -f lavfi -i "smptebars=size=640x480:rate=15:duration=20" -f lavfi -i "sine=frequency=220:duration=20" \
  -c:v mjpeg -q:v 6 -c:a pcm_s16le -f avi "$avi.part"
mv "$avi.part" "$avi"
touch "$dir.complete"
