"""Export of runs to other tools: Optuna, TensorBoard, MLflow."""
