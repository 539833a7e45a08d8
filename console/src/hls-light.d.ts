// hls.js ships no declarations for its light build, which has the same interface.
declare module 'hls.js/light' {
  import Hls from 'hls.js';
  export default Hls;
}
