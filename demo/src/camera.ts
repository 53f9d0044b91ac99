/** The camera, where there is one: pictures as inputs of the learner. */
import { make } from './dom.ts';
import { SIDE } from './ink.ts';

/** The deviation that every picture gets: that of a drawing, about, so that the light of a room does not matter. */
const CONTRAST = 0.3;

export class Camera {
  static readonly available = Boolean(navigator.mediaDevices?.getUserMedia);

  readonly #video: HTMLVideoElement;
  readonly #pen = make('canvas', { width: SIDE, height: SIDE }).getContext('2d', { willReadFrequently: true })!;
  #stream: MediaStream | undefined;

  constructor(video: HTMLVideoElement) {
    this.#video = video;
  }

  get running(): boolean {
    return this.#stream !== undefined;
  }

  /** Asks for the camera. Throws where it is refused or missing. */
  async start(): Promise<void> {
    this.#stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
    this.#video.srcObject = this.#stream;
    await this.#video.play();
  }

  stop(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
    this.#video.srcObject = null;
  }

  /** The middle of the picture, (28, 28), grey with mean 0; undefined while there is none. */
  look(): Float32Array<ArrayBuffer> | undefined {
    const { videoWidth, videoHeight } = this.#video;
    const side = Math.min(videoWidth, videoHeight);
    if (!side) return undefined;
    this.#pen.imageSmoothingQuality = 'high';
    this.#pen.drawImage(
      ...([this.#video, (videoWidth - side) / 2, (videoHeight - side) / 2, side, side] as const),
      ...([0, 0, SIDE, SIDE] as const),
    );
    const { data } = this.#pen.getImageData(0, 0, SIDE, SIDE);
    const grey = Float32Array.from(
      { length: SIDE * SIDE },
      (_, i) => 0.299 * data[4 * i]! + 0.587 * data[4 * i + 1]! + 0.114 * data[4 * i + 2]!,
    );
    const mean = grey.reduce((sum, value) => sum + value, 0) / grey.length;
    const deviation = Math.sqrt(grey.reduce((sum, value) => sum + (value - mean) ** 2, 0) / grey.length);
    return grey.map((value) => (CONTRAST * (value - mean)) / Math.max(deviation, 1));
  }
}
