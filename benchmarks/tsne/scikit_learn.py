"""scikit-learn's TSNE with its default settings on FOLDER/features.f32, and the trustworthiness of our map by its function.

Prints: seconds trustworthiness divergence, then the trustworthiness of FOLDER/map.f32, then the versions.
"""
import sys
import time

import numpy
import sklearn
from sklearn.manifold import TSNE, trustworthiness

folder = sys.argv[1]
features = numpy.fromfile(folder + "/features.f32", numpy.float32).reshape(-1, 64)
# The defaults of 1.2, named so that older versions do the same.
settings = dict(init="pca", learning_rate="auto", random_state=0)
TSNE(n_iter=250, **settings).fit_transform(features[:200])
start = time.perf_counter()
tsne = TSNE(**settings)
theirs = tsne.fit_transform(features)
seconds = time.perf_counter() - start
ours = numpy.fromfile(folder + "/map.f32", numpy.float32).reshape(-1, 2)
print(f"{seconds:.1f} {trustworthiness(features, theirs):.4f} {tsne.kl_divergence_:.3f}")
print(f"{trustworthiness(features, ours):.4f}")
print(f"scikit-learn {sklearn.__version__}, numpy {numpy.__version__}")
