// A picture's file as a model's grid; the browser decodes it, nothing leaves this page.
import { INPUT } from "../texts";
import { fitImage, type Grid, type GridSpec, guessDarkInk, toGrey } from "./grid";

const MAX_SIDE = 512; // enough for grids of any model here; larger pictures are shrunk first

export class PictureError extends Error {
  override name = "PictureError";
}

/** Throws PictureError if the browser cannot read the file as a picture. */
export async function readPicture(file: Blob, spec: GridSpec): Promise<Grid> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new PictureError(INPUT.notImage);
  });
  const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new PictureError(INPUT.notImage);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const image = toGrey(context.getImageData(0, 0, width, height).data, width, height);
  return fitImage(image, spec, { isDarkInk: guessDarkInk(image), isCropped: true });
}
