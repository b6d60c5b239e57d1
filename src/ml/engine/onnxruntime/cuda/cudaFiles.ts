/*
 * What ONNX Runtime needs to compute on an NVIDIA card, as data: Microsoft's build of it with the CUDA provider, of the
 * version that onnxruntime-node has, and NVIDIA's libraries of CUDA 13 and cuDNN 9, of the versions that torch 2.15
 * installs. All are wheels of the Python Package Index, which are zip archives; no Python is needed for them. cuFFT is left
 * out: the provider opens it for Fourier transforms only. `onnxruntime_providers_cuda` has what it needs in its imports
 * (`readelf -d`, `objdump -p`), and what it opens by itself in `cudnn_loader.cc` and in cuDNN's own libraries (nvrtc).
 */

/** Version of ONNX Runtime that the archives hold: onnxruntime-node has to be of the same. */
export const runtimeVersion = '1.30.0';

/** Names the folder of an installation, so that another table is another installation. */
export const cudaVersion = `onnxruntime-${runtimeVersion}-cuda-13.2-cudnn-9.26`;

/** NVIDIA's driver has to be of this branch or newer for CUDA 13 (CUDA's release notes, table of drivers). */
export const leastDriver = 580;
/** CUDA 13 supports cards of this compute capability and newer: Turing (same notes). */
export const leastCapability = 7.5;

/** Why there is nothing for other platforms, without a full stop. */
export const onlyPlatforms = 'CUDA is for Linux and Windows on x64; choose another device';

/** A licence that a user has to accept, and where its holder has it. Its text is installed beside the libraries. */
export interface Licence {
  readonly name: string;
  readonly url: string;
}

const onnxruntimeLicence: Licence = {
  name: 'ONNX Runtime: MIT license',
  url: 'https://github.com/microsoft/onnxruntime/blob/main/LICENSE',
};
const cudaLicence: Licence = {
  name: 'CUDA Toolkit: NVIDIA’s end user license agreement',
  url: 'https://docs.nvidia.com/cuda/eula/index.html',
};
const cudnnLicence: Licence = {
  name: 'cuDNN: NVIDIA’s software license agreement',
  url: 'https://docs.nvidia.com/deeplearning/cudnn/backend/latest/reference/eula.html',
};

/** A file in an archive, and its size in bytes. */
export interface ArchiveMember {
  /** Its path in the archive. */
  readonly from: string;
  /** Its name once it is installed; all lie in one folder. */
  readonly to: string;
  readonly bytes: number;
}

/** A published archive. */
export interface CudaArchive {
  /** Its name, under which a mirror has it. */
  readonly file: string;
  readonly url: string;
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
  readonly members: readonly ArchiveMember[];
  readonly licence: Licence;
}

/** What is installed on one platform. */
export interface CudaFiles {
  readonly archives: readonly CudaArchive[];
  /** Libraries that are loaded first, in this order: those that are loaded later, which look for them by name, then have them. */
  readonly first: readonly string[];
  /** ONNX Runtime's library. Its providers lie beside it, where it looks for them. */
  readonly runtime: string;
}

/** `place` is the part of a file's address that the index makes of its content. */
function archive(
  place: string,
  file: string,
  bytes: number,
  sha256: string,
  licence: Licence,
  members: readonly ArchiveMember[],
): CudaArchive {
  return { file, url: `https://files.pythonhosted.org/packages/${place}/${file}`, bytes, sha256, licence, members };
}

function libraries(folder: string, sizes: Readonly<Record<string, number>>): readonly ArchiveMember[] {
  return Object.entries(sizes).map(([to, bytes]) => ({ from: `${folder}/${to}`, to, bytes }));
}

/** A licence's text in an archive. */
function text(from: string, to: string, bytes: number): ArchiveMember {
  return { from, to, bytes };
}

const linux: CudaFiles = {
  runtime: 'libonnxruntime.so.1.30.0',
  first: [
    'libcudart.so.13',
    'libcublasLt.so.13',
    'libcublas.so.13',
    'libcurand.so.10',
    'libnvrtc.so.13',
    'libcudnn.so.9',
  ],
  archives: [
    archive(
      'ea/71/b225bd559a718f6cefb058d4f4c4c95e556543f47d4be0e81819681ac347',
      'onnxruntime_gpu-1.30.0-cp311-cp311-manylinux_2_28_x86_64.whl',
      246_658_419,
      '4fbf0c5d7b5fb99266c2e8a802e3e64af68bdc383e0f3c7349b985f1087eedaa',
      onnxruntimeLicence,
      [
        ...libraries('onnxruntime/capi', {
          'libonnxruntime.so.1.30.0': 29_062_976,
          'libonnxruntime_providers_cuda.so': 272_049_904,
          'libonnxruntime_providers_shared.so': 14_632,
        }),
        text('onnxruntime/LICENSE', 'onnxruntime-LICENSE.txt', 1073),
        text('onnxruntime/ThirdPartyNotices.txt', 'onnxruntime-ThirdPartyNotices.txt', 338_088),
      ],
    ),
    archive(
      '70/c6/8f8c5e893d183082ea78f973aebc7ebc845ee219d68bddac73b0f62490fe',
      'nvidia_cuda_runtime-13.2.86-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
      2_323_576,
      '3498247680dfddce31bad102af7e3e26fc795342a3cac64722bb0fa95e7f60f0',
      cudaLicence,
      [
        ...libraries('nvidia/cu13/lib', { 'libcudart.so.13': 773_920 }),
        text('nvidia_cuda_runtime-13.2.86.dist-info/licenses/License.txt', 'cuda-License.txt', 59_262),
      ],
    ),
    archive(
      'e1/97/d483a41da34df5c88727c57319576967f6d7befba5028d70928d2999635e',
      'nvidia_cublas-13.4.1.3-py3-none-manylinux_2_27_x86_64.whl',
      404_870_805,
      'a5917cb642cfb07f4a0231ee16aec7e2e0357d8cb8b1b78a0c9c68dba3e6afc7',
      cudaLicence,
      libraries('nvidia/cu13/lib', { 'libcublas.so.13': 54_198_912, 'libcublasLt.so.13': 508_260_928 }),
    ),
    archive(
      'c9/ca/9701cd19be422d6c1e1a1473c89b20c88c97a53be9cda3afd9627b482427',
      'nvidia_curand-10.4.2.66-py3-none-manylinux_2_27_x86_64.whl',
      59_954_122,
      '9bb3796a2f6223454b2e326e3d7572c1500cfa4d629de827676b4eeecd30ab0c',
      cudaLicence,
      libraries('nvidia/cu13/lib', { 'libcurand.so.10': 133_931_224 }),
    ),
    archive(
      '1e/39/c58835ec8392a91b8d7bad83760eafc3085f64788b722ec2b44a27b3ca3e',
      'nvidia_cuda_nvrtc-13.2.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl',
      47_018_468,
      '8111c5130e967b78222ea2124145f8efe9ce201b752b2579a2513100a53be1c5',
      cudaLicence,
      libraries('nvidia/cu13/lib', { 'libnvrtc.so.13': 115_333_336, 'libnvrtc-builtins.so.13.2': 4_442_056 }),
    ),
    archive(
      'ac/1b/ea72dd62f26ce3e0a7870b85148b75a5987507629b712deebeb87f7cce9a',
      'nvidia_cudnn_cu13-9.26.0.51-py3-none-manylinux_2_27_x86_64.whl',
      519_150_073,
      '9c976d539786698c71d6bcdbe2053b7485fae062ff7e1215d2f2ff67b1a2149a',
      cudnnLicence,
      [
        ...libraries('nvidia/cudnn/lib', {
          'libcudnn.so.9': 133_336,
          'libcudnn_adv.so.9': 109_169_128,
          'libcudnn_cnn.so.9': 4_203_984,
          'libcudnn_engines_precompiled.so.9': 264_266_304,
          'libcudnn_engines_runtime_compiled.so.9': 35_684_088,
          'libcudnn_engines_tensor_ir.so.9': 216_026_128,
          'libcudnn_ext.so.9': 8_402_008,
          'libcudnn_graph.so.9': 134_433_840,
          'libcudnn_heuristic.so.9': 75_502_384,
          'libcudnn_ops.so.9': 39_855_912,
        }),
        text('nvidia_cudnn_cu13-9.26.0.51.dist-info/licenses/License.txt', 'cudnn-License.txt', 18_174),
      ],
    ),
  ],
};

const windows: CudaFiles = {
  runtime: 'onnxruntime.dll',
  // cuDNN looks for its own parts by name too.
  first: [
    'cudart64_13.dll',
    'cublasLt64_13.dll',
    'cublas64_13.dll',
    'nvrtc-builtins64_132.dll',
    'nvrtc64_130_0.dll',
    'cudnn_graph64_9.dll',
    'cudnn_ops64_9.dll',
    'cudnn_adv64_9.dll',
    'cudnn_cnn64_9.dll',
    'cudnn_heuristic64_9.dll',
    'cudnn_engines_precompiled64_9.dll',
    'cudnn_engines_runtime_compiled64_9.dll',
    'cudnn_engines_tensor_ir64_9.dll',
    'cudnn_ext64_9.dll',
    'cudnn64_9.dll',
  ],
  archives: [
    archive(
      '3f/e2/626586334da2356be4a9f0fa9864a9fc6406c6b128887258de091ffbf1be',
      'onnxruntime_gpu-1.30.0-cp311-cp311-win_amd64.whl',
      160_469_661,
      'fea66ebd743717de6f254955293b5f978825be7867c87a99c4a0ac1fe6f1d763',
      onnxruntimeLicence,
      [
        ...libraries('onnxruntime/capi', {
          'onnxruntime.dll': 18_036_536,
          'onnxruntime_providers_cuda.dll': 184_755_512,
          'onnxruntime_providers_shared.dll': 21_816,
        }),
        text('onnxruntime/LICENSE', 'onnxruntime-LICENSE.txt', 1094),
        text('onnxruntime/ThirdPartyNotices.txt', 'onnxruntime-ThirdPartyNotices.txt', 344_457),
      ],
    ),
    archive(
      '1f/7f/0849696e8ea074fd6c30864a235ab232683c71cb8e6a88186d48fc62120f',
      'nvidia_cuda_runtime-13.2.86-py3-none-win_amd64.whl',
      3_154_679,
      'b26f5dd86e67f0eb404ae679185e1c49fe546fa9a47b32dee31312f65ccfe764',
      cudaLicence,
      [
        ...libraries('nvidia/cu13/bin/x86_64', { 'cudart64_13.dll': 555_120 }),
        text('nvidia_cuda_runtime-13.2.86.dist-info/licenses/License.txt', 'cuda-License.txt', 59_262),
      ],
    ),
    archive(
      'bc/0f/8982a363ab246d22876f3eb8baccce81f0da6304d39f86d63b67389c5457',
      'nvidia_cublas-13.4.1.3-py3-none-win_amd64.whl',
      388_920_654,
      '7e7f780caf07bde7b36b0d25bdad29e8ccbacfc4b75066907bdb601af1e6d4aa',
      cudaLicence,
      libraries('nvidia/cu13/bin/x86_64', { 'cublas64_13.dll': 51_572_848, 'cublasLt64_13.dll': 455_685_232 }),
    ),
    archive(
      'dd/4e/2a19f2aa79ffc822c0d2be7c161fcac5a8b43aebd554c79ff982bb44071e',
      'nvidia_cuda_nvrtc-13.2.86-py3-none-win_amd64.whl',
      40_818_138,
      'bf070582c2d8b03f681cea8d34a9de900d808607deb813a826ecb3a585606f9a',
      cudaLicence,
      libraries('nvidia/cu13/bin/x86_64', { 'nvrtc64_130_0.dll': 94_862_448, 'nvrtc-builtins64_132.dll': 4_535_408 }),
    ),
    archive(
      'd6/1f/9c5d7ed254d7040192b4bb4eef669ba3ed66a3c4576c50f7d2385b255c8e',
      'nvidia_cudnn_cu13-9.26.0.51-py3-none-win_amd64.whl',
      419_603_885,
      '8e37a83d7dd7c2663afcae38b1c95c5e9e7c9754f313800da95ca81439fa37f9',
      cudnnLicence,
      [
        ...libraries('nvidia/cudnn/bin', {
          'cudnn64_9.dll': 270_448,
          'cudnn_adv64_9.dll': 105_227_888,
          'cudnn_cnn64_9.dll': 1_533_040,
          'cudnn_engines_precompiled64_9.dll': 224_516_720,
          'cudnn_engines_runtime_compiled64_9.dll': 32_993_904,
          'cudnn_engines_tensor_ir64_9.dll': 156_272,
          'cudnn_ext64_9.dll': 130_160,
          'cudnn_graph64_9.dll': 116_192_880,
          'cudnn_heuristic64_9.dll': 73_166_960,
          'cudnn_ops64_9.dll': 37_461_616,
        }),
        text('nvidia_cudnn_cu13-9.26.0.51.dist-info/licenses/License.txt', 'cudnn-License.txt', 18_174),
      ],
    ),
  ],
};

const platforms: Readonly<Record<string, CudaFiles>> = { 'linux x64': linux, 'win32 x64': windows };

/** What is installed on a platform; undefined where there is nothing for it. */
export function cudaFilesFor(platform: string, architecture: string): CudaFiles | undefined {
  return platforms[`${platform} ${architecture}`];
}
